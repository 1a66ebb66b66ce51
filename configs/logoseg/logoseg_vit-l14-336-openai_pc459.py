# LoGoSeg with OpenAI ViT-L/14@336 on PC-459.
#   python tools/test.py configs/logoseg/logoseg_vit-l14-336-openai_pc459.py \
#       work_dirs/logoseg_vit-l14-336-openai_4xb1-80k_coco-stuff/iter_80000.pth
# Published: mIoU 24.5; the paper does not say over which classes.
_base_ = [
    '../_base_/models/logoseg_l14.py',
    '../_base_/datasets/pc459_glued_segmentation.py',
    '../_base_/default_runtime_seg.py',
]
