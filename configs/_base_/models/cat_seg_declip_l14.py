# CAT-Seg on EVA02-CLIP-L/14 at 336 px decoupled by DeCLIP.
_base_ = [
    './cat_seg_eva_l14.py',
    '../backbones/eva02-l14-336-declip.py',
]

model = dict(backbone=_base_.encoder)
