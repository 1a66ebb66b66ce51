# OpenCLIP ViT-B/16. Published: Boxes 67.6, Masks-T 64.4, Masks-S 44.5 (Table 6).
_base_ = [
    './clipself_eva02-b16_4xb48-6e_coco-512.py',
    '../_base_/backbones/vit-b16-openclip.py',
]
model = dict(backbone=_base_.encoder)
