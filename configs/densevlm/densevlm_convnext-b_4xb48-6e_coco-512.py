# ConvNeXt-B. Published: Boxes 67.1, Masks-T 63.4, Masks-S 43.5 (Table 6).
_base_ = [
    './densevlm_eva02-b16_4xb48-6e_coco-512.py',
    '../_base_/backbones/convnext-b.py',
]
model = dict(backbone=_base_.encoder)
