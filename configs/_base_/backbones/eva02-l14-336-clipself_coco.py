# EVA02-CLIP-L/14-336 refined by CLIPSelf on proposals in COCO, as released.
_base_ = './eva02-l14-336.py'

encoder = dict(
    type='openvocab.CLIPSelf',
    readout=None,  # the preset's
    init_cfg=dict(
        type='Pretrained',
        checkpoint='checkpoints/eva_vitl14_coco_clipself_proposals.pt'))
