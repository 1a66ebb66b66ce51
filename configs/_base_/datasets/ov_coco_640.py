# OV-COCO (48 base, 17 novel classes) at 640 px, from the official annotation files:
# boxes of base classes for training, all 65 classes for validation.
_base_ = './coco_transfer.py'

img_size = 640
train_pipeline = [
    dict(type='mmcv.LoadImageFromFile'),
    dict(type='mmdet.LoadAnnotations', with_bbox=True),
    # large-scale jitter
    dict(
        type='mmcv.RandomResize',
        scale=(img_size, img_size),
        ratio_range=(0.1, 2.0),
        keep_ratio=True,
        resize_type='mmdet.Resize'),
    dict(
        type='mmdet.RandomCrop',
        crop_type='absolute_range',
        crop_size=(img_size, img_size),
        recompute_bbox=True,
        allow_negative_crop=True),
    dict(type='mmdet.FilterAnnotations', min_gt_bbox_wh=(1e-2, 1e-2)),
    dict(type='mmdet.RandomFlip', prob=0.5),
    dict(type='mmdet.PackDetInputs'),
]
test_pipeline = _base_.test_pipeline
test_pipeline[1].scale = (img_size, img_size)

train_dataloader = dict(
    batch_size=8,
    num_workers=4,
    # workers start anew each epoch, so that a resumed run continues exactly
    persistent_workers=False,
    sampler=dict(type='DefaultSampler', shuffle=True, _scope_='mmengine'),
    dataset=dict(
        type='openvocab.OVDetDataset',
        data_root=_base_.data_root,
        ann_file='annotations/instances_train2017.json',
        data_prefix=dict(img='train2017'),
        vocabulary='ov_coco',
        splits=('base', ),
        # the 15 classes of COCO that are neither base nor novel
        drop_unknown='coco_80',
        filter_cfg=dict(filter_empty_gt=True, min_size=32),
        pipeline=train_pipeline,
        _scope_='mmdet'))
val_dataloader = dict(
    dataset=dict(
        vocabulary='ov_coco',
        drop_unknown='coco_80',
        # 4,836 of 5,000 images, as published
        keep_only_annotated=True,
        pipeline=test_pipeline))
test_dataloader = val_dataloader
