# EVA02-CLIP-L/14-336, the P-VLM of DenseVLM. Published: 75.2, 73.1, 44.5 (Table 6).
_base_ = './clipself_eva02-b16_4xb48-6e_coco-512.py'
model = dict(
    backbone=dict(
        arch='EVA02-L-14-336', checkpoint='checkpoints/EVA02_CLIP_L_336_psz14_s6B.pt'))
train_pipeline = [
    dict(type='mmcv.LoadImageFromFile'),
    dict(type='openvocab.KeepOriginalImage'),
    dict(type='openvocab.ResizeLongest', size=512),
    dict(type='mmcv.Pad', size=(512, 512)),
    dict(type='openvocab.BoundedGridRegions', min_cells_per_side=1),
    dict(type='openvocab.CropRegions', size=336),
    dict(type='openvocab.PackRegions'),
]
train_dataloader = dict(dataset=dict(pipeline=train_pipeline))
default_hooks = dict(export=dict(alpha=0.95))
