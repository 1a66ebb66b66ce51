# OpenAI ViT-B/16; no published region figures.
_base_ = './clip_eva02-b16_coco-512.py'
model = dict(backbone=dict(arch='ViT-B-16-quickgelu', checkpoint='openai'))
