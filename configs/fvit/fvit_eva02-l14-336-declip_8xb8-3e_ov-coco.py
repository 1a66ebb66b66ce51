# F-ViT with EVA02-CLIP-L/14-336 refined by DeCLIP, on OV-COCO.
#   bash tools/dist_train.sh configs/fvit/fvit_eva02-l14-336-declip_8xb8-3e_ov-coco.py 8
# Published: AP50 novel / base / all 46.2 / 65.2 / 60.3.
_base_ = [
    './fvit_eva02-l14-336_8xb8-3e_ov-coco.py',
    '../_base_/backbones/eva02-l14-336-declip.py',
]
model = dict(
    backbone=_base_.encoder,
    # the one setting that DeCLIP changes
    roi_head=dict(bbox_head=dict(fusion=dict(temperature=45.0))))
