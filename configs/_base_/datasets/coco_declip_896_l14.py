# DeCLIP's paper, patches of 14: 896 px (64 x 64), crops at the encoder's 336 px.
_base_ = './coco_grid_crops.py'

img_size = 896
train_pipeline = [
    dict(type='mmcv.LoadImageFromFile'),
    dict(type='openvocab.KeepOriginalImage'),
    dict(type='openvocab.ResizeLongest', size=img_size),
    dict(type='mmcv.Pad', size=(img_size, img_size)),
    dict(type='openvocab.GridRegions', min_cells_per_side=1),
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
