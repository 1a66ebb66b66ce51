# OpenAI ViT-B/16, the encoder of the published SAN and CAT-Seg results (Table 7).
_base_ = './densevlm_eva02-b16_4xb48-6e_coco-512.py'
model = dict(backbone=dict(arch='ViT-B-16-quickgelu', checkpoint='openai'))
