# Context from DINO ViT-B/8. Published: things 68.4, stuff 49.4 (Table 6).
_base_ = './declip_eva02-b16-dinov2_8xb2-6e_coco-1024.py'
model = dict(
    vfm=dict(
        type='openvocab.DINO',
        arch='vit_base_patch8_224.dino',
        checkpoint='checkpoints/dino_vitbase8_pretrain.pth'))
