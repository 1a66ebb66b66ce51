# F-ViT with EVA02-CLIP-L/14-336 refined by DeCLIP, on OV-LVIS.
#   bash tools/dist_train.sh \
#       configs/fvit/fvit_eva02-l14-336-declip_8xb8-48e_ov-lvis.py 8
# Published: mask AP r / c / f / all 37.2 / 35.2 / 36.5 / 36.0.
_base_ = [
    './fvit_eva02-l14-336_8xb8-48e_ov-lvis.py',
    '../_base_/backbones/eva02-l14-336-declip.py',
]
model = dict(
    backbone=_base_.encoder,
    # the one setting that DeCLIP changes
    roi_head=dict(bbox_head=dict(fusion=dict(temperature=90.0))))
