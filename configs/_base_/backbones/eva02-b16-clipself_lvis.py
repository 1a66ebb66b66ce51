# EVA02-CLIP-B/16 refined by CLIPSelf on grid cells of the images of LVIS, as released.
_base_ = './eva02-b16.py'

encoder = dict(
    type='openvocab.CLIPSelf',
    readout=None,  # the preset's
    init_cfg=dict(
        type='Pretrained',
        checkpoint='checkpoints/eva_vitb16_lvis_clipself_patches.pt'))
