# SAN with OpenAI ViT-L/14 at 336 px: 640 px for the side network, 448 px for CLIP.
_base_ = './san.py'

model = dict(
    backbone=dict(arch='ViT-L-14-336-quickgelu', checkpoint='openai'),
    encoder_scale=0.7)
