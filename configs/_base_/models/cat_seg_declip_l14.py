# CAT-Seg on EVA02-CLIP-L/14 at 336 px decoupled by DeCLIP.
_base_ = './cat_seg_eva_l14.py'

model = dict(
    backbone=dict(
        type='openvocab.DeCLIP',
        readout=None,
        init_cfg=dict(
            type='Pretrained',
            checkpoint='checkpoints/DeCLIP_EVA-L_DINOv2-L_csa_0.05_2.0.pt')))
