# DeCLIP's script, patches of 14: 560 px (40 x 40), crops at the encoder's 336 px.
_base_ = './coco_grid_crops.py'

img_size = 560
train_pipeline = [
    dict(type='mmcv.LoadImageFromFile'),
    dict(type='openvocab.KeepOriginalImage'),
    dict(type='openvocab.ResizeLongest', size=img_size),
    dict(type='mmcv.Pad', size=(img_size, img_size)),
    dict(type='openvocab.BoundedGridRegions', min_cells_per_side=1, max_regions=20),
    dict(type='openvocab.CropRegions', size=336),
    dict(type='openvocab.PackRegions'),
]
eval_pipeline = [
    dict(type='mmcv.LoadImageFromFile'),
    dict(type='openvocab.ResizeLongest', size=img_size),
    dict(type='mmcv.Pad', size=(img_size, img_size)),
    dict(type='openvocab.LoadPanopticRegions'),
    dict(type='openvocab.PackRegions'),
]
train_dataloader = dict(batch_size=2, dataset=dict(pipeline=train_pipeline))
val_dataloader = dict(batch_size=4, dataset=dict(pipeline=eval_pipeline))
test_dataloader = val_dataloader
