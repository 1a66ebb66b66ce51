# CAT-Seg with EVA02-CLIP-B/16 aligned by DenseVLM, trained and validated on COCO-Stuff.
#   bash tools/dist_train.sh configs/cat_seg/cat_seg_eva02-b16-densevlm_4xb1-80k_coco-stuff.py 4
# Published: none for this encoder.
_base_ = [
    '../_base_/models/cat_seg_eva_densevlm.py',
    '../_base_/datasets/coco_stuff_384_segmentation.py',
    '../_base_/schedules/seg_80k.py',
    '../_base_/default_runtime_seg.py',
]
