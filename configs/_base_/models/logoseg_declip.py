# LoGoSeg on EVA02-CLIP-B/16 decoupled by DeCLIP: CSA, neither residual nor FFN; lengths of
# its dense vectors mean nothing.
_base_ = './logoseg.py'

model = dict(
    backbone=dict(
        type='openvocab.DeCLIP',
        arch='EVA02-B-16',
        checkpoint='checkpoints/EVA02_CLIP_B_psz16_s8B.pt',
        readout=None,
        init_cfg=dict(
            type='Pretrained',
            checkpoint='checkpoints/DeCLIP_EVA-B_DINOv2-B_csa_0.05_2.0.pt')),
    decode_head=dict(normalize_dense=True))
