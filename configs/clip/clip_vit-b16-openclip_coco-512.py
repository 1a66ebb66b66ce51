# OpenCLIP ViT-B/16. Published: Boxes 49.8, Masks-T 51.9, Masks-S 29.2.
_base_ = './clip_eva02-b16_coco-512.py'
model = dict(backbone=dict(arch='ViT-B-16', checkpoint='laion2b_s34b_b88k'))
