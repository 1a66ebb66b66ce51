# LoGoSeg with ConvNeXt-L on PAS-20.
#   python tools/test.py configs/logoseg/logoseg_convnext-l_pas20.py \
#       work_dirs/logoseg_convnext-l_4xb1-80k_coco-stuff/iter_80000.pth
# Published: mIoU 97.0.
_base_ = [
    '../_base_/models/logoseg_convnext_l.py',
    '../_base_/datasets/pas20_segmentation.py',
    '../_base_/default_runtime_seg.py',
]
