# LoGoSeg with OpenAI ViT-B/16 on PC-459.
#   python tools/test.py configs/logoseg/logoseg_vit-b16-openai_pc459.py \
#       work_dirs/logoseg_vit-b16-openai_4xb1-80k_coco-stuff/iter_80000.pth
# Published: mIoU 19.5; the paper does not say over which classes.
_base_ = [
    '../_base_/models/logoseg.py',
    '../_base_/datasets/pc459_glued_segmentation.py',
    '../_base_/default_runtime_seg.py',
]
