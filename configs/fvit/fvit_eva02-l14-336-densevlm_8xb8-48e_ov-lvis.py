# F-ViT with EVA02-CLIP-L/14-336 refined by DenseVLM, on OV-LVIS. Nothing was published.
#   bash tools/dist_train.sh \
#       configs/fvit/fvit_eva02-l14-336-densevlm_8xb8-48e_ov-lvis.py 8
_base_ = [
    './fvit_eva02-l14-336_8xb8-48e_ov-lvis.py',
    '../_base_/backbones/eva02-l14-336-densevlm.py',
]
model = dict(backbone=_base_.encoder)
