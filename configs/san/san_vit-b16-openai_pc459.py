# SAN with OpenAI ViT-B/16 on PC-459.
#   python tools/test.py configs/san/san_vit-b16-openai_pc459.py \
#       work_dirs/san_vit-b16-openai_8xb4-60k_coco-stuff/iter_60000.pth
# Published: mIoU 16.7 over the 345 classes that occur, 12.6 over all 459.
_base_ = [
    '../_base_/models/san.py',
    '../_base_/datasets/pc459_segmentation.py',
    '../_base_/default_runtime_seg.py',
]
