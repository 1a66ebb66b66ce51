# F-ViT with EVA02-CLIP-L/14-336 refined by CLIPSelf, on OV-COCO.
#   bash tools/dist_train.sh \
#       configs/fvit/fvit_eva02-l14-336-clipself_8xb8-3e_ov-coco.py 8
# Published: AP50 novel / base / all 44.3 / 64.1 / 59.0; with the patches
# checkpoint 38.4 novel.
_base_ = [
    './fvit_eva02-l14-336_8xb8-3e_ov-coco.py',
    '../_base_/backbones/eva02-l14-336-clipself_coco.py',
]
model = dict(backbone=_base_.encoder)
