# DeCLIP, EVA02-CLIP-L/14-336 taught by DINOv2-L/14.
_base_ = './declip.py'

model = dict(
    backbone=dict(
        arch='EVA02-L-14-336', checkpoint='checkpoints/EVA02_CLIP_L_336_psz14_s6B.pt'),
    vfm=dict(
        arch='vit_large_patch14_reg4_dinov2.lvd142m',
        checkpoint='checkpoints/dinov2_vitl14_reg4_pretrain.pth'))
