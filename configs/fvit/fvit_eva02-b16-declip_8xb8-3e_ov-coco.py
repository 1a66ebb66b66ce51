# F-ViT with EVA02-CLIP-B/16 refined by DeCLIP, on OV-COCO.
#   bash tools/dist_train.sh configs/fvit/fvit_eva02-b16-declip_8xb8-3e_ov-coco.py 8
# Published: AP50 novel / base / all 41.1 / 57.8 / 53.5.
_base_ = [
    './fvit_eva02-b16_8xb8-3e_ov-coco.py',
    '../_base_/backbones/eva02-b16-declip.py',
]
model = dict(
    backbone=_base_.encoder,
    # the one setting that DeCLIP changes
    roi_head=dict(bbox_head=dict(fusion=dict(temperature=45.0))))
