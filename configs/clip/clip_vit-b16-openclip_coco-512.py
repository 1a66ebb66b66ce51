# OpenCLIP ViT-B/16. Published: Boxes 49.8, Masks-T 51.9, Masks-S 29.2.
_base_ = [
    './clip_eva02-b16_coco-512.py',
    '../_base_/backbones/vit-b16-openclip.py',
]
model = dict(backbone=_base_.encoder)
