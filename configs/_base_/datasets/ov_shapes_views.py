# Image-caption views of OV-Shapes for contrastive pre-training. Draw them with
#   python tools/dataset_converters/ov_shapes.py --caption-views 40000
train_dataloader = dict(
    batch_size=128,
    num_workers=0,
    drop_last=True,
    sampler=dict(type='DefaultSampler', shuffle=True, _scope_='mmengine'),
    collate_fn=dict(type='mmengine.default_collate'),
    dataset=dict(
        type='openvocab.CaptionViewDataset',
        data_root='data/ov_shapes/views',
        _scope_='mmengine'))
