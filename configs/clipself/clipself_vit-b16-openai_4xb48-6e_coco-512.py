# OpenAI ViT-B/16; no published region figures.
_base_ = [
    './clipself_eva02-b16_4xb48-6e_coco-512.py',
    '../_base_/backbones/vit-b16-openai.py',
]
model = dict(backbone=_base_.encoder)
