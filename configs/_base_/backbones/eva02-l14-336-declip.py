# EVA02-CLIP-L/14-336 decoupled by DeCLIP (CSA), as released.
_base_ = './eva02-l14-336.py'

encoder = dict(
    type='openvocab.DeCLIP',
    readout=None,  # the preset's
    init_cfg=dict(
        type='Pretrained',
        checkpoint='checkpoints/DeCLIP_EVA-L_DINOv2-L_csa_0.05_2.0.pt'))
