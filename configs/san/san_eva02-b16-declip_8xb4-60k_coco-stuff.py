# SAN with EVA02-CLIP-B/16 refined by DeCLIP; nothing was published. SAN runs the blocks as
# they are; the preset states what the weights were trained for.
#   bash tools/dist_train.sh configs/san/san_eva02-b16-declip_8xb4-60k_coco-stuff.py 8
_base_ = [
    './san_vit-b16-openai_8xb4-60k_coco-stuff.py',
    '../_base_/backbones/eva02-b16-declip.py',
]
model = dict(backbone=_base_.encoder)
