# CAT-Seg on OpenAI ViT-B/16 aligned by DenseVLM, read out as it was aligned.
_base_ = './cat_seg.py'

model = dict(
    backbone=dict(
        type='openvocab.DenseVLM',
        readout=None,
        # configs/densevlm/densevlm_vit-b16-openai_4xb48-6e_coco-512.py makes it
        init_cfg=dict(
            type='Pretrained',
            checkpoint='checkpoints/densevlm_vit-b16-openai.safetensors')))
