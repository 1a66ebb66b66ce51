# OpenAI ViT-B/16; no published region figures.
_base_ = './clipself_eva02-b16_4xb48-6e_coco-512.py'
model = dict(backbone=dict(arch='ViT-B-16-quickgelu', checkpoint='openai'))
