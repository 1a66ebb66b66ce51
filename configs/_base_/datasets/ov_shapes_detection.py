# Detection on OV-Shapes at 128 px: boxes of the 26 base things for training, all 36
# things for validation.
_base_ = './ov_coco_640.py'

data_root = 'data/ov_shapes/'
img_size = 128
# no jitter, which (0.5, 1.5) would give: the things are drawn in all sizes already
scale_range = (1.0, 1.0)
train_pipeline = _base_.train_pipeline
train_pipeline[2].update(scale=(img_size, img_size), ratio_range=scale_range)
train_pipeline[3].crop_size = (img_size, img_size)
test_pipeline = _base_.test_pipeline
test_pipeline[1].scale = (img_size, img_size)

train_dataloader = dict(
    num_workers=1,
    dataset=dict(
        data_root=data_root,
        ann_file='annotations/instances_train.json',
        data_prefix=dict(img='train'),
        vocabulary=dict(_delete_=True, subset='ov_shapes', is_thing=True),
        drop_unknown=None,
        pipeline=train_pipeline))
val_dataloader = dict(
    batch_size=8,
    num_workers=1,
    dataset=dict(
        data_root=data_root,
        ann_file='annotations/instances_val.json',
        data_prefix=dict(img='val'),
        vocabulary=dict(_delete_=True, subset='ov_shapes', is_thing=True),
        drop_unknown=None,
        keep_only_annotated=False,
        pipeline=test_pipeline))
test_dataloader = val_dataloader
val_evaluator = dict(ann_file=data_root + 'annotations/instances_val.json')
test_evaluator = val_evaluator
