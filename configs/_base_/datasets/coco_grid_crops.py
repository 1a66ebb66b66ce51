# CLIPSelf on the unlabelled images of COCO train2017: grid cells and their crops.
_base_ = './coco_grid.py'

crop_size = 224
train_pipeline = [
    dict(type='mmcv.LoadImageFromFile'),
    dict(type='openvocab.KeepOriginalImage'),
    dict(type='openvocab.ResizeLongest', size=_base_.img_size),
    dict(type='mmcv.Pad', size=(_base_.img_size, _base_.img_size)),
    dict(type='openvocab.BoundedGridRegions', min_cells_per_side=1),
    dict(type='openvocab.CropRegions', size=crop_size),
    dict(type='openvocab.PackRegions'),
]
train_dataloader = dict(dataset=dict(pipeline=train_pipeline))
