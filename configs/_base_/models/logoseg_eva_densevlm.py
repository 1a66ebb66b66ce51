# LoGoSeg on EVA02-CLIP-B/16 aligned by DenseVLM (the released weights); lengths of its
# dense vectors mean nothing.
_base_ = [
    './logoseg.py',
    '../backbones/eva02-b16-densevlm.py',
]

model = dict(backbone=_base_.encoder, decode_head=dict(normalize_dense=True))
