# Segmentation of COCO-Stuff val2017 (171 classes), and what all benchmarks share. Labels:
#   python tools/dataset_converters/prepare.py coco-stuff
data_root = 'data/coco/'

test_pipeline = [
    dict(type='LoadImageFromFile', _scope_='mmseg'),
    # short side 640, long side 2560 at most
    dict(type='ResizeShortestEdge', scale=640, max_size=2560, _scope_='mmseg'),
    # after the resizing: the ground truth keeps the size it has on disk
    dict(type='openvocab.LoadOVAnnotations'),
    dict(type='PackSegInputs', _scope_='mmseg'),
]
val_dataloader = dict(
    batch_size=1,
    num_workers=4,
    persistent_workers=True,
    sampler=dict(type='DefaultSampler', shuffle=False, _scope_='mmengine'),
    dataset=dict(
        type='openvocab.OVSegDataset',
        vocabulary='coco_stuff_171',
        data_root=data_root,
        data_prefix=dict(
            img_path='val2017', seg_map_path='stuffthingmaps_171/val2017'),
        pipeline=test_pipeline,
        _scope_='mmseg'))
test_dataloader = val_dataloader
# miou averages over the classes in the labels, miou_union also over those predicted
val_evaluator = dict(
    type='openvocab.OVIoUMetric',
    train_vocabulary='coco_stuff_171',
    _scope_='mmengine')
test_evaluator = val_evaluator
val_cfg = dict(type='ValLoop', _scope_='mmengine')
test_cfg = dict(type='TestLoop', _scope_='mmengine')
