# EVA02-CLIP-L/14-336, context from DINO ViT-B/16 (its largest ViT). No published figures.
_base_ = './declip_eva02-l14-336-dinov2_8xb2-6e_coco-896.py'
model = dict(
    vfm=dict(
        _delete_=True,
        type='openvocab.DINO',
        checkpoint='checkpoints/dino_vitbase16_pretrain.pth'))
