# Context from DINO ViT-B/16. Published: things 67.6, stuff 47.4 (Table 6).
_base_ = './declip_eva02-b16-dinov2_8xb2-6e_coco-1024.py'
model = dict(
    vfm=dict(
        type='openvocab.DINO',
        checkpoint='checkpoints/dino_vitbase16_pretrain.pth'))
