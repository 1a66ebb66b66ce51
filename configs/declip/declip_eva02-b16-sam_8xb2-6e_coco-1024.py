# Context from SAM's ViT-B/16. Published: things 75.0, stuff 51.8 (Table 6).
_base_ = './declip_eva02-b16-dinov2_8xb2-6e_coco-1024.py'
model = dict(
    vfm=dict(
        type='openvocab.SAMEncoder', checkpoint='checkpoints/sam_vit_b_01ec64.pth'))
