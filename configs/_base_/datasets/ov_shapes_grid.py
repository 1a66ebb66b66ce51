# DenseVLM on OV-Shapes: grid cells, nothing is cropped.
_base_ = './ov_shapes_regions.py'

train_pipeline = [
    dict(type='mmcv.LoadImageFromFile'),
    dict(type='openvocab.ResizeLongest', size=_base_.img_size),
    dict(type='mmcv.Pad', size=(_base_.img_size, _base_.img_size)),
    dict(type='openvocab.BoundedGridRegions', min_cells_per_side=2, max_regions=16),
    dict(type='openvocab.PackRegions'),
]
train_dataloader = dict(
    batch_size=8,
    num_workers=1,
    # workers start anew each epoch, so that a resumed run continues exactly
    persistent_workers=False,
    drop_last=True,
    sampler=dict(type='DefaultSampler', shuffle=True, _scope_='mmengine'),
    dataset=dict(
        type='openvocab.UnlabeledImageDataset',
        data_root=_base_.data_root,
        ann_file='annotations/instances_train.json',
        data_prefix=dict(img='train'),
        pipeline=train_pipeline,
        _scope_='mmengine'))
