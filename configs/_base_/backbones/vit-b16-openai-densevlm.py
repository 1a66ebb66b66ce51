# OpenAI ViT-B/16 aligned by DenseVLM; nothing was released, the result of
# configs/densevlm/densevlm_vit-b16-openai_4xb48-6e_coco-512.py goes here.
_base_ = './vit-b16-openai.py'

encoder = dict(
    type='openvocab.DenseVLM',
    readout=None,  # the preset's
    init_cfg=dict(
        type='Pretrained',
        checkpoint='checkpoints/densevlm_vit-b16-openai.safetensors'))
