# EVA02-CLIP-L/14-336 refined by CLIPSelf on grid cells of the images of LVIS, as released.
_base_ = './eva02-l14-336.py'

encoder = dict(
    type='openvocab.CLIPSelf',
    readout=None,  # the preset's
    init_cfg=dict(
        type='Pretrained',
        checkpoint='checkpoints/eva_vitl14_lvis_clipself_patches.pt'))
