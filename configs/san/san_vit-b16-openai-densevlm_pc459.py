# SAN with OpenAI ViT-B/16 aligned by DenseVLM on PC-459.
#   python tools/test.py configs/san/san_vit-b16-openai-densevlm_pc459.py \
#       work_dirs/san_vit-b16-openai-densevlm_8xb4-60k_coco-stuff/iter_60000.pth
# Published: mIoU 15.6, it seems over all 459 classes (miou_union).
_base_ = [
    './san_vit-b16-openai_pc459.py',
    '../_base_/backbones/vit-b16-openai-densevlm.py',
]
model = dict(backbone=_base_.encoder)
