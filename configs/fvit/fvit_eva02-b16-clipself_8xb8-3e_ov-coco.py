# F-ViT with EVA02-CLIP-B/16 refined by CLIPSelf, on OV-COCO.
#   bash tools/dist_train.sh configs/fvit/fvit_eva02-b16-clipself_8xb8-3e_ov-coco.py 8
# Published: AP50 novel / base / all 37.6 / 54.9 / 50.4; with the patches
# checkpoint 33.6 novel.
_base_ = [
    './fvit_eva02-b16_8xb8-3e_ov-coco.py',
    '../_base_/backbones/eva02-b16-clipself_coco.py',
]
model = dict(backbone=_base_.encoder)
