# Training on COCO-Stuff at 384 px, as CAT-Seg does (4 images in all). The public code of
# CAT-Seg and SAN makes prompts of the labels as they are: "building-other".
_base_ = './coco_stuff_segmentation.py'
vocabulary = 'coco_stuff_171_labels'

crop_size = (384, 384)
train_pipeline = [
    dict(type='openvocab.SeedAugmentation'),
    dict(type='LoadImageFromFile', _scope_='mmseg'),
    dict(type='openvocab.LoadOVAnnotations'),
    dict(type='ResizeShortestEdge', scale=384, max_size=1333, _scope_='mmseg'),
    dict(type='RandomCrop', crop_size=crop_size, _scope_='mmseg'),
    dict(type='PhotoMetricDistortion', _scope_='mmseg'),
    dict(type='RandomFlip', prob=0.5, _scope_='mmseg'),
    dict(type='PackSegInputs', _scope_='mmseg'),
]
train_dataloader = dict(
    batch_size=1,
    num_workers=4,
    persistent_workers=True,
    # with SeedAugmentation: resuming after any iteration is exact
    sampler=dict(type='openvocab.SeededInfiniteSampler', shuffle=True),
    dataset=dict(
        type='openvocab.OVSegDataset',
        vocabulary=vocabulary,
        data_root=_base_.data_root,
        data_prefix=dict(
            img_path='train2017', seg_map_path='stuffthingmaps_171/train2017'),
        pipeline=train_pipeline,
        _scope_='mmseg'))
val_dataloader = dict(dataset=dict(vocabulary=vocabulary))
test_dataloader = val_dataloader
