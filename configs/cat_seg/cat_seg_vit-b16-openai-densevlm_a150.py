# CAT-Seg with OpenAI ViT-B/16 aligned by DenseVLM on A-150.
#   python tools/test.py configs/cat_seg/cat_seg_vit-b16-openai-densevlm_a150.py \
#       work_dirs/cat_seg_vit-b16-openai-densevlm_4xb1-80k_coco-stuff/iter_80000.pth
# Published: mIoU 34.1.
_base_ = [
    '../_base_/models/cat_seg_densevlm.py',
    '../_base_/datasets/a150_mmseg_segmentation.py',
    '../_base_/default_runtime_seg.py',
]
