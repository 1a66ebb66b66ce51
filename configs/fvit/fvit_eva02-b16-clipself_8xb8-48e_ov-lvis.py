# F-ViT with EVA02-CLIP-B/16 refined by CLIPSelf, on OV-LVIS.
#   bash tools/dist_train.sh configs/fvit/fvit_eva02-b16-clipself_8xb8-48e_ov-lvis.py 8
# Published: mask AP r / c / f / all 25.3 / 21.8 / 29.1 / 25.2.
_base_ = [
    './fvit_eva02-b16_8xb8-48e_ov-lvis.py',
    '../_base_/backbones/eva02-b16-clipself_lvis.py',
]
model = dict(backbone=_base_.encoder)
