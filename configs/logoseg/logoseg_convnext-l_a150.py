# LoGoSeg with ConvNeXt-L on A-150.
#   python tools/test.py configs/logoseg/logoseg_convnext-l_a150.py \
#       work_dirs/logoseg_convnext-l_4xb1-80k_coco-stuff/iter_80000.pth
# Published: mIoU 37.8.
_base_ = [
    '../_base_/models/logoseg_convnext_l.py',
    '../_base_/datasets/a150_mmseg_segmentation.py',
    '../_base_/default_runtime_seg.py',
]
