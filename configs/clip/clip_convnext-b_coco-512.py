# ConvNeXt-B. Published: Boxes 57.5, Masks-T 48.0, Masks-S 31.1.
_base_ = [
    './clip_eva02-b16_coco-512.py',
    '../_base_/backbones/convnext-b.py',
]
model = dict(backbone=_base_.encoder)
