# OpenCLIP ViT-B/16. Published: Boxes 71.9, Masks-T 70.0, Masks-S 47.8 (Table 6).
_base_ = [
    './densevlm_eva02-b16_4xb48-6e_coco-512.py',
    '../_base_/backbones/vit-b16-openclip.py',
]
model = dict(backbone=_base_.encoder)
