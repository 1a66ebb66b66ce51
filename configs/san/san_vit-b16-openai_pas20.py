# SAN with OpenAI ViT-B/16 on PAS-20.
#   python tools/test.py configs/san/san_vit-b16-openai_pas20.py \
#       work_dirs/san_vit-b16-openai_8xb4-60k_coco-stuff/iter_60000.pth
# Published: mIoU 93.9.
_base_ = [
    '../_base_/models/san.py',
    '../_base_/datasets/pas20_tv_segmentation.py',
    '../_base_/default_runtime_seg.py',
]
