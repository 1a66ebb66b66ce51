# SAN with OpenAI ViT-B/16 aligned by DenseVLM (densevlm_vit-b16-openai_4xb48-6e_coco-512).
#   bash tools/dist_train.sh configs/san/san_vit-b16-openai-densevlm_8xb4-60k_coco-stuff.py 8
# Published on COCO-Stuff: none; see the leaves of the benchmarks.
_base_ = [
    './san_vit-b16-openai_8xb4-60k_coco-stuff.py',
    '../_base_/backbones/vit-b16-openai-densevlm.py',
]
model = dict(backbone=_base_.encoder)
