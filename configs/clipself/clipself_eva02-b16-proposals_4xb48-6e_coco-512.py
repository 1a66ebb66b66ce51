# Regions from proposals, their crops enlarged 1.5 times.
_base_ = './clipself_eva02-b16_4xb48-6e_coco-512.py'
train_pipeline = [
    dict(type='mmcv.LoadImageFromFile'),
    dict(type='openvocab.KeepOriginalImage'),
    dict(type='openvocab.ResizeLongest', size=512),
    dict(type='mmcv.Pad', size=(512, 512)),
    dict(type='openvocab.ProposalRegions', max_regions=20,
        fallback=dict(type='openvocab.BoundedGridRegions', min_cells_per_side=1)),
    dict(type='openvocab.CropRegions', size=224, scale=1.5),
    dict(type='openvocab.PackRegions'),
]
train_dataloader = dict(
    dataset=dict(proposals_file='proposals/coco_train2017.json', pipeline=train_pipeline))
