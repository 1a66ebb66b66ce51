# CAT-Seg on EVA02-CLIP-B/16 aligned by DenseVLM (the released weights).
_base_ = [
    './cat_seg_eva.py',
    '../backbones/eva02-b16-densevlm.py',
]

model = dict(backbone=_base_.encoder)
