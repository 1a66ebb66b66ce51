# CAT-Seg on EVA02-CLIP-B/16 decoupled by DeCLIP: CSA, neither residual nor FFN.
_base_ = [
    './cat_seg_eva.py',
    '../backbones/eva02-b16-declip.py',
]

model = dict(backbone=_base_.encoder)
