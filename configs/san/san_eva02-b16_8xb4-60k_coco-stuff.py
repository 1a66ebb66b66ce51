# SAN with EVA02-CLIP-B/16, which the public code cannot take; nothing was published.
#   bash tools/dist_train.sh configs/san/san_eva02-b16_8xb4-60k_coco-stuff.py 8
_base_ = [
    './san_vit-b16-openai_8xb4-60k_coco-stuff.py',
    '../_base_/backbones/eva02-b16.py',
]
model = dict(backbone=_base_.encoder)
