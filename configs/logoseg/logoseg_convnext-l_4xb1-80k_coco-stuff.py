# LoGoSeg with ConvNeXt-L, trained and validated on COCO-Stuff.
#   bash tools/dist_train.sh configs/logoseg/logoseg_convnext-l_4xb1-80k_coco-stuff.py 4
# Published: none on COCO-Stuff; see the leaves of the benchmarks.
_base_ = [
    '../_base_/models/logoseg_convnext_l.py',
    '../_base_/datasets/coco_stuff_384_segmentation.py',
    '../_base_/schedules/logoseg_80k.py',
    '../_base_/default_runtime_seg.py',
]
