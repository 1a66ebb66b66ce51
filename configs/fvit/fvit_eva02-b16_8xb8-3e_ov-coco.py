# F-ViT with the original EVA02-CLIP-B/16 on OV-COCO (48 base / 17 novel), 640 px.
#   bash tools/dist_train.sh configs/fvit/fvit_eva02-b16_8xb8-3e_ov-coco.py 8
# Published: AP50 novel / base / all 17.5 / 41.0 / 34.9.
_base_ = [
    '../_base_/models/fvit.py',
    '../_base_/datasets/ov_coco_640.py',
    '../_base_/schedules/fvit_3e.py',
    '../_base_/default_runtime_ov_det.py',
]
