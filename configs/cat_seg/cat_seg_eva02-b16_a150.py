# CAT-Seg with EVA02-CLIP-B/16 on A-150.
#   python tools/test.py configs/cat_seg/cat_seg_eva02-b16_a150.py \
#       work_dirs/cat_seg_eva02-b16_4xb1-80k_coco-stuff/iter_80000.pth
# Published: mIoU 30.4.
_base_ = [
    '../_base_/models/cat_seg_eva.py',
    '../_base_/datasets/a150_mmseg_segmentation.py',
    '../_base_/default_runtime_seg.py',
]
