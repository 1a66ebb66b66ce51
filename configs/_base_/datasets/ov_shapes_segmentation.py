# Segmentation of OV-Shapes at 128 px: trained on the seen 26 things and 7 textures, tested on all.
data_root = 'data/ov_shapes/'
crop_size = (128, 128)

train_pipeline = [
    dict(type='openvocab.SeedAugmentation'),
    dict(type='LoadImageFromFile', _scope_='mmseg'),
    dict(type='openvocab.LoadOVAnnotations'),
    dict(type='RandomFlip', prob=0.5, _scope_='mmseg'),
    dict(type='PackSegInputs', _scope_='mmseg'),
]
test_pipeline = [
    dict(type='LoadImageFromFile', _scope_='mmseg'),
    dict(type='openvocab.LoadOVAnnotations'),
    dict(type='PackSegInputs', _scope_='mmseg'),
]
train_dataloader = dict(
    batch_size=8,
    num_workers=1,
    persistent_workers=True,
    # with SeedAugmentation: resuming after any iteration is exact
    sampler=dict(type='openvocab.SeededInfiniteSampler', shuffle=True),
    dataset=dict(
        type='openvocab.OVSegDataset',
        # the segmentors hold novel things and unseen stuff out
        vocabulary='ov_shapes',
        data_root=data_root,
        data_prefix=dict(
            img_path='train', seg_map_path='annotations/semantic_train'),
        pipeline=train_pipeline,
        _scope_='mmseg'))
val_dataloader = dict(
    batch_size=8,
    num_workers=1,
    persistent_workers=True,
    sampler=dict(type='DefaultSampler', shuffle=False, _scope_='mmengine'),
    dataset=dict(
        type='openvocab.OVSegDataset',
        vocabulary='ov_shapes',
        data_root=data_root,
        data_prefix=dict(img_path='val', seg_map_path='annotations/semantic_val'),
        pipeline=test_pipeline,
        _scope_='mmseg'))
test_dataloader = val_dataloader
val_evaluator = dict(type='openvocab.OVIoUMetric', _scope_='mmengine')
test_evaluator = val_evaluator
val_cfg = dict(type='ValLoop', _scope_='mmengine')
test_cfg = dict(type='TestLoop', _scope_='mmengine')
