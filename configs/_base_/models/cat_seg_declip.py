# CAT-Seg on EVA02-CLIP-B/16 decoupled by DeCLIP: CSA, neither residual nor FFN.
_base_ = './cat_seg_eva.py'

model = dict(
    backbone=dict(
        type='openvocab.DeCLIP',
        readout=None,
        init_cfg=dict(
            type='Pretrained',
            checkpoint='checkpoints/DeCLIP_EVA-B_DINOv2-B_csa_0.05_2.0.pt')))
