# Multi-scale option of the code: every step draws its longest side.
_base_ = './densevlm_eva02-b16_4xb48-6e_coco-512.py'
model = dict(scales=(320, 512, 672, 896))
