# F-ViT: detection on a frozen CLIP. Widths, strides and the text tower follow from the
# backbone. Values: public code of CLIPSelf (OV-COCO, ViT-B/16).
model = dict(
    type='openvocab.FViT',
    data_preprocessor=dict(
        type='mmdet.DetDataPreprocessor',
        # ImageNet's statistics, which the published detectors were trained with, and
        # not CLIP's; None takes those of the encoder
        mean=[123.675, 116.28, 103.53],
        std=[58.395, 57.12, 57.375],
        bgr_to_rgb=True,
        # every batch becomes img_size x img_size, padded with the mean colour
        pad_size_divisor=640),
    backbone=dict(
        type='openvocab.CLIPBackbone',
        arch='EVA02-B-16',
        checkpoint='checkpoints/EVA02_CLIP_B_psz16_s8B.pt',
        readout=dict(type='openvocab.ValueReadout'),
        out_indices=(3, 5, 7, 11)),
    text_bank=dict(type='openvocab.TextBank', vocabulary='ov_coco', prompts='vild63'),
    pyramid=dict(type='openvocab.ViTPyramid', scales=(4, 2, 1, 0.5)),
    neck=dict(
        type='mmdet.FPN', out_channels=256, num_outs=5, norm_cfg=dict(type='BN')),
    rpn_head=dict(
        type='openvocab.FViTRPNHead',
        in_channels=256,
        feat_channels=256,
        num_convs=2,
        anchor_generator=dict(
            type='mmdet.AnchorGenerator', scales=[8], ratios=[0.5, 1.0, 2.0]),
        bbox_coder=dict(
            type='mmdet.DeltaXYWHBBoxCoder',
            target_means=[0.0, 0.0, 0.0, 0.0],
            target_stds=[1.0, 1.0, 1.0, 1.0]),
        loss_cls=dict(
            type='mmdet.CrossEntropyLoss', use_sigmoid=True, loss_weight=1.0),
        loss_bbox=dict(type='mmdet.L1Loss', loss_weight=1.0)),
    roi_head=dict(
        type='openvocab.FViTRoIHead',
        bbox_roi_extractor=dict(
            type='mmdet.SingleRoIExtractor',
            roi_layer=dict(type='RoIAlign', output_size=7, sampling_ratio=0),
            out_channels=256),
        bbox_head=dict(
            type='openvocab.FViTBBoxHead',
            num_shared_convs=4,
            num_shared_fcs=2,
            num_cls_fcs=1,
            num_reg_fcs=1,
            in_channels=256,
            conv_out_channels=256,
            roi_feat_size=7,
            norm_cfg=dict(type='BN'),
            cls_predictor_cfg=dict(
                type='openvocab.CosineTextClassifier',
                temperature=50.0,
                learn_temperature=True),
            fusion=dict(
                type='openvocab.GeometricScoreFusion',
                alpha=0.1,
                beta=0.8,
                temperature=75.0),
            bbox_coder=dict(
                type='mmdet.DeltaXYWHBBoxCoder',
                target_means=[0.0, 0.0, 0.0, 0.0],
                target_stds=[0.1, 0.1, 0.2, 0.2]),
            loss_cls=dict(
                type='openvocab.TextCrossEntropyLoss', background_weight=0.6),
            loss_bbox=dict(type='mmdet.L1Loss', loss_weight=1.0))),
    train_cfg=dict(
        rpn=dict(
            assigner=dict(
                type='mmdet.MaxIoUAssigner',
                pos_iou_thr=0.7,
                neg_iou_thr=0.3,
                min_pos_iou=0.3,
                match_low_quality=True,
                ignore_iof_thr=-1),
            sampler=dict(
                type='mmdet.RandomSampler',
                num=256,
                pos_fraction=0.5,
                neg_pos_ub=-1,
                add_gt_as_proposals=False),
            allowed_border=-1,
            pos_weight=-1,
            debug=False),
        rpn_proposal=dict(
            nms_pre=2000,
            max_per_img=1000,
            nms=dict(type='nms', iou_threshold=0.7),
            min_bbox_size=0),
        rcnn=dict(
            assigner=dict(
                type='mmdet.MaxIoUAssigner',
                pos_iou_thr=0.5,
                neg_iou_thr=0.5,
                min_pos_iou=0.5,
                match_low_quality=False,
                ignore_iof_thr=-1),
            sampler=dict(
                type='mmdet.RandomSampler',
                num=512,
                pos_fraction=0.25,
                neg_pos_ub=-1,
                add_gt_as_proposals=True),
            pos_weight=-1,
            debug=False)),
    test_cfg=dict(
        rpn=dict(
            nms_pre=2000,
            max_per_img=1000,
            nms=dict(type='nms', iou_threshold=0.7),
            min_bbox_size=0),
        rcnn=dict(
            score_thr=0.01,
            nms=dict(type='nms', iou_threshold=0.4),
            max_per_img=100)),
    _scope_='mmdet')
