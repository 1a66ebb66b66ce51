# CAT-Seg with OpenAI ViT-B/16 on VOC21, with the background as a class.
#   python tools/test.py configs/cat_seg/cat_seg_vit-b16-openai_voc21.py \
#       work_dirs/cat_seg_vit-b16-openai_4xb1-80k_coco-stuff/iter_80000.pth
# Published: none.
_base_ = [
    '../_base_/models/cat_seg.py',
    '../_base_/datasets/voc21_segmentation.py',
    '../_base_/default_runtime_seg.py',
]
