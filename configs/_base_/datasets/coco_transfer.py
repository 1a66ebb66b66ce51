# Transfer to COCO val2017, 80 classes, images fitted into 896 x 896; test only.
data_root = 'data/coco/'
img_size = 896

# No Pad step: it would overwrite img_shape, to which boxes are clipped. The model's data
# preprocessor pads to img_size (`pad_size_divisor`), after normalisation.
test_pipeline = [
    dict(type='mmcv.LoadImageFromFile'),
    dict(type='mmdet.Resize', scale=(img_size, img_size), keep_ratio=True),
    # behind Resize: the boxes of the original image, for drawings
    dict(type='mmdet.LoadAnnotations', with_bbox=True),
    dict(type='mmdet.PackDetInputs'),
]
val_dataloader = dict(
    batch_size=1,
    num_workers=2,
    persistent_workers=True,
    sampler=dict(type='DefaultSampler', shuffle=False, _scope_='mmengine'),
    dataset=dict(
        type='openvocab.OVDetDataset',
        data_root=data_root,
        ann_file='annotations/instances_val2017.json',
        data_prefix=dict(img='val2017'),
        vocabulary='coco_80',
        test_mode=True,
        pipeline=test_pipeline,
        _scope_='mmdet'))
test_dataloader = val_dataloader
val_evaluator = dict(
    type='openvocab.OVDetMetric',
    ann_file=data_root + 'annotations/instances_val2017.json',
    metric=['bbox'],
    _scope_='mmengine')
test_evaluator = val_evaluator
val_cfg = dict(type='ValLoop', _scope_='mmengine')
test_cfg = dict(type='TestLoop', _scope_='mmengine')
