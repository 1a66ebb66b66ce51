# LoGoSeg with ConvNeXt-B on PAS-20.
#   python tools/test.py configs/logoseg/logoseg_convnext-b_pas20.py \
#       work_dirs/logoseg_convnext-b_4xb1-80k_coco-stuff/iter_80000.pth
# Published: mIoU 95.0.
_base_ = [
    '../_base_/models/logoseg_convnext.py',
    '../_base_/datasets/pas20_segmentation.py',
    '../_base_/default_runtime_seg.py',
]
