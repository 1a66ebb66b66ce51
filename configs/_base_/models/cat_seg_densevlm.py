# CAT-Seg on OpenAI ViT-B/16 aligned by DenseVLM, read out as it was aligned.
_base_ = [
    './cat_seg.py',
    '../backbones/vit-b16-openai-densevlm.py',
]

model = dict(backbone=_base_.encoder)
