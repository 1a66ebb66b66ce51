# CAT-Seg with OpenAI ViT-L/14 at 336 px on PC-459.
#   python tools/test.py configs/cat_seg/cat_seg_vit-l14-336-openai_pc459.py \
#       work_dirs/cat_seg_vit-l14-336-openai_4xb1-80k_coco-stuff/iter_80000.pth
# Published: mIoU 23.8 over the 345 classes that occur (miou).
_base_ = [
    '../_base_/models/cat_seg_l14.py',
    '../_base_/datasets/pc459_glued_segmentation.py',
    '../_base_/default_runtime_seg.py',
]
