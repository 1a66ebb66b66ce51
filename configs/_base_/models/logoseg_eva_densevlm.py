# LoGoSeg on EVA02-CLIP-B/16 aligned by DenseVLM (the released weights); lengths of its
# dense vectors mean nothing.
_base_ = './logoseg.py'

model = dict(
    backbone=dict(
        type='openvocab.DenseVLM',
        arch='EVA02-B-16',
        checkpoint='checkpoints/EVA02_CLIP_B_psz16_s8B.pt',
        readout=None,
        init_cfg=dict(
            type='Pretrained',
            checkpoint='checkpoints/densevlm_coco_6_save6_512_eva_vib16_12layers.pt')),
    decode_head=dict(normalize_dense=True))
