# R50x4. Published: Boxes 59.2, Masks-T 50.5, Masks-S 39.1.
_base_ = [
    './clip_eva02-b16_coco-512.py',
    '../_base_/backbones/rn50x4.py',
]
model = dict(backbone=_base_.encoder)
