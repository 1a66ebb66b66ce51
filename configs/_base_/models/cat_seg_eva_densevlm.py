# CAT-Seg on EVA02-CLIP-B/16 aligned by DenseVLM (the released weights).
_base_ = './cat_seg_eva.py'

model = dict(
    backbone=dict(
        type='openvocab.DenseVLM',
        readout=None,
        init_cfg=dict(
            type='Pretrained',
            checkpoint='checkpoints/densevlm_coco_6_save6_512_eva_vib16_12layers.pt')))
