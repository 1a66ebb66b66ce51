# SAN at the scale of the tiny CLIPs: 128 px for both, side patches of 8 px.
_base_ = './san.py'

model = dict(
    data_preprocessor=dict(size=(128, 128)),
    backbone=dict(arch='ov-shapes-u', checkpoint='openvocab://ov-shapes-u'),
    text_bank=dict(vocabulary='ov_shapes', prompts='densevlm'),
    encoder_scale=1.0,
    decode_head=dict(
        # two of four blocks name masks: the last quarter is a single block, and gave
        # mIoU 20.8 where two give 25.3 (one run each)
        levels=(0, 1, 2),
        split=2,
        side=dict(
            fuse_after=(0, 1, 2),
            width=64,
            depth=4,
            num_heads=4,
            patch_size=8,
            grid=(16, 16),
            num_queries=20,
            decoder_width=64),
        aux_blocks=(3,),
        loss=dict(num_points=1024)))
