# EVA02-CLIP-B/16 refined by CLIPSelf on proposals in COCO, as released.
_base_ = './eva02-b16.py'

encoder = dict(
    type='openvocab.CLIPSelf',
    readout=None,  # the preset's
    init_cfg=dict(
        type='Pretrained',
        checkpoint='checkpoints/eva_vitb16_coco_clipself_proposals.pt'))
