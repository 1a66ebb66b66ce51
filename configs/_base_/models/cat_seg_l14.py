# CAT-Seg on OpenAI ViT-L/14 at 336 px: crops of 384 px are shown to it at 336 px.
_base_ = './cat_seg.py'

model = dict(
    backbone=dict(arch='ViT-L-14-336-quickgelu', out_indices=(7, 15)),
    encoder_scale=0.875)
