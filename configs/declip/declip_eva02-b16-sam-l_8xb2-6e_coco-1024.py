# Context from SAM's ViT-L/16. Published: things 76.8, stuff 52.6 (Table 6).
_base_ = './declip_eva02-b16-dinov2_8xb2-6e_coco-1024.py'
model = dict(
    vfm=dict(
        type='openvocab.SAMEncoder',
        arch='samvit_large_patch16.sa1b',
        checkpoint='checkpoints/sam_vit_l_0b3195.pth'))
