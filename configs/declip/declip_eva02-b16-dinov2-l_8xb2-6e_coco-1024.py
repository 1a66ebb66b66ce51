# Context from DINOv2 ViT-L/14. Published: things 77.6, stuff 53.1 (Table 6).
_base_ = './declip_eva02-b16-dinov2_8xb2-6e_coco-1024.py'
model = dict(
    vfm=dict(
        arch='vit_large_patch14_reg4_dinov2.lvd142m',
        checkpoint='checkpoints/dinov2_vitl14_reg4_pretrain.pth'))
