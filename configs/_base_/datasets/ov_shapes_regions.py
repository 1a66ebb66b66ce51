# Region recognition on OV-Shapes val (36 things + 10 stuff) at 128 px.
_base_ = './coco_regions.py'

data_root = 'data/ov_shapes/'
img_size = 128
eval_pipeline = [
    dict(type='mmcv.LoadImageFromFile'),
    dict(type='openvocab.KeepOriginalImage'),
    dict(type='openvocab.ResizeLongest', size=img_size),
    dict(type='mmcv.Pad', size=(img_size, img_size)),
    dict(type='openvocab.LoadPanopticRegions'),
    # crop baseline: how well the encoder reads the things when they are cut out
    dict(type='openvocab.CropRegions', size=64, scale=1.5),
    dict(type='openvocab.PackRegions'),
]
val_dataloader = dict(
    batch_size=32,
    num_workers=1,
    dataset=dict(
        data_root=data_root,
        ann_file='annotations/panoptic_val.json',
        data_prefix=dict(img='val', seg='annotations/panoptic_val'),
        vocabulary='ov_shapes',
        pipeline=eval_pipeline))
test_dataloader = val_dataloader
