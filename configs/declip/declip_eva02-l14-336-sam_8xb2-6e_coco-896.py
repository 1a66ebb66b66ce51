# EVA02-CLIP-L/14-336, context from SAM's ViT-L/16. No published figures.
_base_ = './declip_eva02-l14-336-dinov2_8xb2-6e_coco-896.py'
model = dict(
    vfm=dict(
        type='openvocab.SAMEncoder',
        arch='samvit_large_patch16.sa1b',
        checkpoint='checkpoints/sam_vit_l_0b3195.pth'))
