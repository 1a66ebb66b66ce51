# SAN with OpenAI ViT-B/16 aligned by DenseVLM on A-150.
#   python tools/test.py configs/san/san_vit-b16-openai-densevlm_a150.py \
#       work_dirs/san_vit-b16-openai-densevlm_8xb4-60k_coco-stuff/iter_60000.pth
# Published: mIoU 29.5.
_base_ = [
    './san_vit-b16-openai_a150.py',
    '../_base_/backbones/vit-b16-openai-densevlm.py',
]
model = dict(backbone=_base_.encoder)
