# OpenAI ViT-B/16, lambda 0.25. Published: things 65.0, stuff 38.8 (Table 12).
_base_ = './declip_eva02-b16-dinov2_4xb4-6e_coco-560.py'
model = dict(
    backbone=dict(
        arch='ViT-B-16-quickgelu',
        checkpoint='openai',
        # this family: 1 / sqrt(d), and unit tokens before pooling
        readout=dict(attn_scale=None),
        normalize_dense=True),
    context_loss=dict(loss_weight=0.25))
optim_wrapper = dict(optimizer=dict(betas=(0.9, 0.98), eps=1e-6))
