# F-ViT with EVA02-CLIP-B/16 refined by DenseVLM, on OV-COCO.
#   bash tools/dist_train.sh configs/fvit/fvit_eva02-b16-densevlm_8xb8-3e_ov-coco.py 8
# Published: AP50 novel / base / all 33.1 / 52.5 / 47.4.
_base_ = [
    './fvit_eva02-b16_8xb8-3e_ov-coco.py',
    '../_base_/backbones/eva02-b16-densevlm.py',
]
model = dict(backbone=_base_.encoder)
