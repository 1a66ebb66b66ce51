# Image-caption views of OV-Shapes for contrastive pre-training. Draw them with
#   python tools/dataset_converters/ov_shapes.py --caption-views 80000
train_dataloader = dict(
    batch_size=128,
    num_workers=0,
    drop_last=True,
    sampler=dict(type='DefaultSampler', shuffle=True, _scope_='mmengine'),
    collate_fn=dict(type='default_collate', _scope_='mmengine'),
    dataset=dict(
        type='openvocab.CaptionViewDataset',
        data_root='data/ov_shapes/views',
        _scope_='mmengine'))
