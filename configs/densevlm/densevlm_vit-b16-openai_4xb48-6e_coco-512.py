# OpenAI ViT-B/16, the encoder of the published SAN and CAT-Seg results (Table 7).
_base_ = [
    './densevlm_eva02-b16_4xb48-6e_coco-512.py',
    '../_base_/backbones/vit-b16-openai.py',
]
model = dict(backbone=_base_.encoder)
