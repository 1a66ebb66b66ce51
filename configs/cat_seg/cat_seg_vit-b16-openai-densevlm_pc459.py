# CAT-Seg with OpenAI ViT-B/16 aligned by DenseVLM on PC-459.
#   python tools/test.py configs/cat_seg/cat_seg_vit-b16-openai-densevlm_pc459.py \
#       work_dirs/cat_seg_vit-b16-openai-densevlm_4xb1-80k_coco-stuff/iter_80000.pth
# Published: mIoU 18.7 over the 345 classes that occur (miou).
_base_ = [
    '../_base_/models/cat_seg_densevlm.py',
    '../_base_/datasets/pc459_glued_segmentation.py',
    '../_base_/default_runtime_seg.py',
]
