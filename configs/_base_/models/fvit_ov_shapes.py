# F-ViT at the scale of the tiny CLIPs: 128 px, a quarter of the channels, strides 4 to 32
# and anchors from 16 px.
_base_ = './fvit.py'

channels = 64
model = dict(
    # the statistics and the resolution of the encoder
    data_preprocessor=dict(mean=None, std=None, pad_size_divisor=128),
    backbone=dict(
        arch='ov-shapes-u',
        checkpoint='openvocab://ov-shapes-u',
        out_indices=(1, 2, 3)),
    text_bank=dict(
        vocabulary=dict(_delete_=True, subset='ov_shapes', is_thing=True),
        prompts='densevlm'),
    pyramid=dict(scales=(2, 1, 0.5)),
    neck=dict(out_channels=channels, num_outs=4),
    rpn_head=dict(
        in_channels=channels,
        feat_channels=channels,
        num_convs=1,
        anchor_generator=dict(scales=[4])),
    roi_head=dict(
        bbox_roi_extractor=dict(out_channels=channels, finest_scale=28),
        bbox_head=dict(
            in_channels=channels,
            conv_out_channels=channels,
            num_shared_convs=1,
            # the scale that the tiny CLIPs learned; they name 10 to 30 % of the boxes
            # right, so novel classes lean on them less
            fusion=dict(beta=0.35, temperature=25.0))),
    train_cfg=dict(
        rpn_proposal=dict(nms_pre=300, max_per_img=200),
        rcnn=dict(sampler=dict(num=64))),
    test_cfg=dict(rpn=dict(nms_pre=300, max_per_img=100)))
