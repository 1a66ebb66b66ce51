# R50x4, which CLIPSelf does not improve. Published: 59.1, 49.9, 37.2 (Table 6).
_base_ = './clipself_eva02-b16_4xb48-6e_coco-512.py'
model = dict(backbone=dict(arch='RN50x4-quickgelu', checkpoint='openai'))
train_pipeline = [
    dict(type='mmcv.LoadImageFromFile'),
    dict(type='openvocab.KeepOriginalImage'),
    dict(type='openvocab.ResizeLongest', size=512),
    dict(type='mmcv.Pad', size=(512, 512)),
    dict(type='openvocab.BoundedGridRegions', min_cells_per_side=1),
    dict(type='openvocab.CropRegions', size=288),
    dict(type='openvocab.PackRegions'),
]
train_dataloader = dict(dataset=dict(pipeline=train_pipeline))
