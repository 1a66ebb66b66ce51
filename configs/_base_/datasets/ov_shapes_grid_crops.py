# CLIPSelf on OV-Shapes: grid cells and their crops, at the 64 px of the tiny CLIPs.
_base_ = './ov_shapes_grid.py'

train_pipeline = [
    dict(type='mmcv.LoadImageFromFile'),
    dict(type='openvocab.KeepOriginalImage'),
    dict(type='openvocab.ResizeLongest', size=_base_.img_size),
    dict(type='mmcv.Pad', size=(_base_.img_size, _base_.img_size)),
    dict(type='openvocab.BoundedGridRegions', min_cells_per_side=1, max_regions=16),
    dict(type='openvocab.CropRegions', size=64),
    dict(type='openvocab.PackRegions'),
]
train_dataloader = dict(dataset=dict(pipeline=train_pipeline))
