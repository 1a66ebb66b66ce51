# Masks of OV-Shapes without their names, at 128 px.
data_root = 'data/ov_shapes/'
img_size = 128

train_pipeline = [
    dict(type='mmcv.LoadImageFromFile'),
    dict(type='openvocab.ResizeLongest', size=img_size),
    dict(type='mmcv.Pad', size=(img_size, img_size)),
    dict(type='openvocab.LoadPanopticRegions'),
    dict(type='openvocab.PackRegions'),
]
train_dataloader = dict(
    batch_size=8,
    num_workers=1,
    persistent_workers=False,
    drop_last=True,
    sampler=dict(type='DefaultSampler', shuffle=True, _scope_='mmengine'),
    dataset=dict(
        type='openvocab.PanopticRegionDataset',
        data_root=data_root,
        ann_file='annotations/panoptic_train.json',
        data_prefix=dict(img='train', seg='annotations/panoptic_train'),
        vocabulary='ov_shapes',
        pipeline=train_pipeline,
        _scope_='mmengine'))
