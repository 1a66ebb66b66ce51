# F-ViT with EVA02-CLIP-B/16 refined by DenseVLM, on OV-LVIS.
#   bash tools/dist_train.sh configs/fvit/fvit_eva02-b16-densevlm_8xb8-48e_ov-lvis.py 8
# Published: mask AP r / c / all 23.9 / 18.4 / 21.4.
_base_ = [
    './fvit_eva02-b16_8xb8-48e_ov-lvis.py',
    '../_base_/backbones/eva02-b16-densevlm.py',
]
model = dict(backbone=_base_.encoder)
