# CAT-Seg with OpenAI ViT-B/16 on PAS-20b.
#   python tools/test.py configs/cat_seg/cat_seg_vit-b16-openai_pas20b.py \
#       work_dirs/cat_seg_vit-b16-openai_4xb1-80k_coco-stuff/iter_80000.pth
# Published: mIoU 77.3.
_base_ = [
    '../_base_/models/cat_seg.py',
    '../_base_/datasets/pas20b_segmentation.py',
    '../_base_/default_runtime_seg.py',
]
