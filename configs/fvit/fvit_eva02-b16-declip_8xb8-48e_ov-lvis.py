# F-ViT with EVA02-CLIP-B/16 refined by DeCLIP, on OV-LVIS.
#   bash tools/dist_train.sh configs/fvit/fvit_eva02-b16-declip_8xb8-48e_ov-lvis.py 8
# Published: mask AP r / c / f / all 26.8 / 22.4 / 29.8 / 26.0.
_base_ = [
    './fvit_eva02-b16_8xb8-48e_ov-lvis.py',
    '../_base_/backbones/eva02-b16-declip.py',
]
model = dict(
    backbone=_base_.encoder,
    # the one setting that DeCLIP changes
    roi_head=dict(bbox_head=dict(fusion=dict(temperature=90.0))))
