# CAT-Seg with OpenAI ViT-B/16 on PC-459.
#   python tools/test.py configs/cat_seg/cat_seg_vit-b16-openai_pc459.py \
#       work_dirs/cat_seg_vit-b16-openai_4xb1-80k_coco-stuff/iter_80000.pth
# Published: mIoU 19.0 over the 345 classes that occur (miou).
_base_ = [
    '../_base_/models/cat_seg.py',
    '../_base_/datasets/pc459_glued_segmentation.py',
    '../_base_/default_runtime_seg.py',
]
