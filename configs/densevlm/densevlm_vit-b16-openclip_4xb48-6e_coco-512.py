# OpenCLIP ViT-B/16. Published: Boxes 71.9, Masks-T 70.0, Masks-S 47.8 (Table 6).
_base_ = './densevlm_eva02-b16_4xb48-6e_coco-512.py'
model = dict(backbone=dict(arch='ViT-B-16', checkpoint='laion2b_s34b_b88k'))
