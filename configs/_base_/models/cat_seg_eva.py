# CAT-Seg on EVA02-CLIP-B/16, as in the code of DeCLIP: directions of the dense map alone
# guide, and of the text tower keys train too.
_base_ = './cat_seg.py'

model = dict(
    backbone=dict(
        arch='EVA02-B-16',
        checkpoint='checkpoints/EVA02_CLIP_B_psz16_s8B.pt',
        readout=dict(_delete_=True, type='openvocab.ValueReadout')),
    text_bank=dict(trainable=dict(letters='qkv')),
    decode_head=dict(normalize_guidance=True))
