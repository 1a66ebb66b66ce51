# LoGoSeg with ConvNeXt-B on A-847.
#   python tools/test.py configs/logoseg/logoseg_convnext-b_a847.py \
#       work_dirs/logoseg_convnext-b_4xb1-80k_coco-stuff/iter_80000.pth
# Published: mIoU 12.2.
_base_ = [
    '../_base_/models/logoseg_convnext.py',
    '../_base_/datasets/a847_segmentation.py',
    '../_base_/default_runtime_seg.py',
]
