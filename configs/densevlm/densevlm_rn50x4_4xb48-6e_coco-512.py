# R50x4. Published: Boxes 65.6, Masks-T 55.2, Masks-S 40.9 (Table 6).
_base_ = [
    './densevlm_eva02-b16_4xb48-6e_coco-512.py',
    '../_base_/backbones/rn50x4.py',
]
model = dict(backbone=_base_.encoder)
