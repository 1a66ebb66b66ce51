# ConvNeXt-B. Published: Boxes 62.6, Masks-T 57.6, Masks-S 41.6 (Table 6).
_base_ = './clipself_eva02-b16_4xb48-6e_coco-512.py'
model = dict(
    backbone=dict(arch='convnext_base_w', checkpoint='laion2b_s13b_b82k_augreg'))
train_pipeline = [
    dict(type='mmcv.LoadImageFromFile'),
    dict(type='openvocab.KeepOriginalImage'),
    dict(type='openvocab.ResizeLongest', size=512),
    dict(type='mmcv.Pad', size=(512, 512)),
    dict(type='openvocab.BoundedGridRegions', min_cells_per_side=1),
    dict(type='openvocab.CropRegions', size=256),
    dict(type='openvocab.PackRegions'),
]
train_dataloader = dict(dataset=dict(pipeline=train_pipeline))
