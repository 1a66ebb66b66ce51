# F-ViT on OV-LVIS: class-agnostic masks, norms in the RPN, the test settings of LVIS.
_base_ = './fvit.py'

model = dict(
    data_preprocessor=dict(pad_size_divisor=1024, pad_mask=True),
    text_bank=dict(vocabulary='lvis_v1'),
    rpn_head=dict(norm_cfg=dict(type='BN')),
    roi_head=dict(
        bbox_head=dict(
            fusion=dict(beta=0.6, temperature=50.0),
            loss_cls=dict(background_weight=0.9)),
        mask_roi_extractor=dict(
            type='mmdet.SingleRoIExtractor',
            roi_layer=dict(type='RoIAlign', output_size=14, sampling_ratio=0),
            out_channels=256),
        mask_head=dict(
            type='mmdet.FCNMaskHead',
            num_convs=4,
            in_channels=256,
            conv_out_channels=256,
            class_agnostic=True,
            norm_cfg=dict(type='BN'),
            loss_mask=dict(
                type='mmdet.CrossEntropyLoss', use_mask=True, loss_weight=1.0))),
    train_cfg=dict(
        rcnn=dict(assigner=dict(match_low_quality=True), mask_size=28)),
    test_cfg=dict(
        rcnn=dict(
            score_thr=1e-4,
            nms=dict(iou_threshold=0.5),
            max_per_img=300,
            mask_thr_binary=0.5)))
