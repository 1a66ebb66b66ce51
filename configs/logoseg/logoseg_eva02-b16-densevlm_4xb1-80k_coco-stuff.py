# LoGoSeg with EVA02-CLIP-B/16 aligned by DenseVLM, trained and validated on COCO-Stuff.
#   bash tools/dist_train.sh configs/logoseg/logoseg_eva02-b16-densevlm_4xb1-80k_coco-stuff.py 4
# Published: none for this encoder.
_base_ = [
    '../_base_/models/logoseg_eva_densevlm.py',
    '../_base_/datasets/coco_stuff_384_segmentation.py',
    '../_base_/schedules/logoseg_80k.py',
    '../_base_/default_runtime_seg.py',
]
