# LoGoSeg on EVA02-CLIP-B/16 decoupled by DeCLIP: CSA, neither residual nor FFN; lengths of
# its dense vectors mean nothing.
_base_ = [
    './logoseg.py',
    '../backbones/eva02-b16-declip.py',
]

model = dict(backbone=_base_.encoder, decode_head=dict(normalize_dense=True))
