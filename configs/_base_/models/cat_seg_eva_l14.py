# CAT-Seg on EVA02-CLIP-L/14 at 336 px.
_base_ = './cat_seg_eva.py'

model = dict(
    backbone=dict(
        arch='EVA02-L-14-336',
        checkpoint='checkpoints/EVA02_CLIP_L_336_psz14_s6B.pt',
        out_indices=(7, 15)),
    encoder_scale=0.875)
