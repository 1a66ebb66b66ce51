# F-ViT with EVA02-CLIP-L/14-336 refined by CLIPSelf, on OV-LVIS.
#   bash tools/dist_train.sh \
#       configs/fvit/fvit_eva02-l14-336-clipself_8xb8-48e_ov-lvis.py 8
# Published: mask AP r / c / f / all 34.9 / 34.6 / 35.6 / 35.1.
_base_ = [
    './fvit_eva02-l14-336_8xb8-48e_ov-lvis.py',
    '../_base_/backbones/eva02-l14-336-clipself_lvis.py',
]
model = dict(backbone=_base_.encoder)
