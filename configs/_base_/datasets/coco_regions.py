# Region recognition on COCO panoptic val2017 (80 things + 53 stuff), longest side 512.
data_root = 'data/coco/'
img_size = 512

eval_pipeline = [
    dict(type='mmcv.LoadImageFromFile'),
    dict(type='openvocab.ResizeLongest', size=img_size),
    dict(type='mmcv.Pad', size=(img_size, img_size)),
    dict(type='openvocab.LoadPanopticRegions'),
    dict(type='openvocab.PackRegions'),
]
val_dataloader = dict(
    batch_size=8,
    num_workers=4,
    persistent_workers=True,
    sampler=dict(type='DefaultSampler', shuffle=False, _scope_='mmengine'),
    dataset=dict(
        type='openvocab.PanopticRegionDataset',
        data_root=data_root,
        ann_file='annotations/panoptic_val2017.json',
        data_prefix=dict(img='val2017', seg='annotations/panoptic_val2017'),
        vocabulary='coco_panoptic_133',
        pipeline=eval_pipeline,
        _scope_='mmengine'))
test_dataloader = val_dataloader
val_evaluator = dict(type='openvocab.RegionAccuracy', _scope_='mmengine')
test_evaluator = val_evaluator
val_cfg = dict(type='ValLoop', _scope_='mmengine')
test_cfg = dict(type='TestLoop', _scope_='mmengine')
