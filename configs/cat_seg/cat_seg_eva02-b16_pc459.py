# CAT-Seg with EVA02-CLIP-B/16 on PC-459.
#   python tools/test.py configs/cat_seg/cat_seg_eva02-b16_pc459.py \
#       work_dirs/cat_seg_eva02-b16_4xb1-80k_coco-stuff/iter_80000.pth
# Published: mIoU 17.6 over the 345 classes that occur (miou).
_base_ = [
    '../_base_/models/cat_seg_eva.py',
    '../_base_/datasets/pc459_glued_segmentation.py',
    '../_base_/default_runtime_seg.py',
]
