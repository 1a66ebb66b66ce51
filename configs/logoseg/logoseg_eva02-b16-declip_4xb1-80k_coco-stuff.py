# LoGoSeg with EVA02-CLIP-B/16 decoupled by DeCLIP, trained and validated on COCO-Stuff.
#   bash tools/dist_train.sh configs/logoseg/logoseg_eva02-b16-declip_4xb1-80k_coco-stuff.py 4
# Published: none for this encoder.
_base_ = [
    '../_base_/models/logoseg_declip.py',
    '../_base_/datasets/coco_stuff_384_segmentation.py',
    '../_base_/schedules/logoseg_80k.py',
    '../_base_/default_runtime_seg.py',
]
