# EVA02-CLIP-B/16 aligned by DenseVLM, as released.
_base_ = './eva02-b16.py'

encoder = dict(
    type='openvocab.DenseVLM',
    readout=None,  # the preset's
    init_cfg=dict(
        type='Pretrained',
        checkpoint='checkpoints/densevlm_coco_6_save6_512_eva_vib16_12layers.pt'))
