# LoGoSeg with ConvNeXt-B on PC-459.
#   python tools/test.py configs/logoseg/logoseg_convnext-b_pc459.py \
#       work_dirs/logoseg_convnext-b_4xb1-80k_coco-stuff/iter_80000.pth
# Published: mIoU 19.3; the paper does not say over which classes.
_base_ = [
    '../_base_/models/logoseg_convnext.py',
    '../_base_/datasets/pc459_glued_segmentation.py',
    '../_base_/default_runtime_seg.py',
]
