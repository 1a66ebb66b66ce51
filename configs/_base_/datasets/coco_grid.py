# DenseVLM on the unlabelled images of COCO train2017: grid cells, nothing is cropped.
_base_ = './coco_regions.py'

train_pipeline = [
    dict(type='mmcv.LoadImageFromFile'),
    dict(type='openvocab.ResizeLongest', size=_base_.img_size),
    dict(type='mmcv.Pad', size=(_base_.img_size, _base_.img_size)),
    dict(type='openvocab.BoundedGridRegions', min_cells_per_side=2),
    dict(type='openvocab.PackRegions'),
]
train_dataloader = dict(
    batch_size=48,
    num_workers=8,
    # workers start anew each epoch, so that a resumed run continues exactly
    persistent_workers=False,
    drop_last=True,
    sampler=dict(type='DefaultSampler', shuffle=True, _scope_='mmengine'),
    dataset=dict(
        type='openvocab.UnlabeledImageDataset',
        data_root=_base_.data_root,
        ann_file='annotations/instances_train2017.json',
        data_prefix=dict(img='train2017'),
        pipeline=train_pipeline,
        _scope_='mmengine'))
