# EVA02-CLIP-B/16 decoupled by DeCLIP (CSA), as released.
_base_ = './eva02-b16.py'

encoder = dict(
    type='openvocab.DeCLIP',
    readout=None,  # the preset's
    init_cfg=dict(
        type='Pretrained',
        checkpoint='checkpoints/DeCLIP_EVA-B_DINOv2-B_csa_0.05_2.0.pt'))
