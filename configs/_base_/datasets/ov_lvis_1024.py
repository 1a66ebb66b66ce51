# OV-LVIS at 1024 px: boxes and masks of the 866 common and frequent classes for training,
# all 1,203 classes for validation. `train2017` and `val2017` lie in data_root.
_base_ = './ov_coco_640.py'

data_root = 'data/lvis_v1/'
img_size = 1024
train_pipeline = _base_.train_pipeline
train_pipeline[1].with_mask = True
train_pipeline[2].scale = (img_size, img_size)
train_pipeline[3].crop_size = (img_size, img_size)
test_pipeline = _base_.test_pipeline
test_pipeline[1].scale = (img_size, img_size)

train_dataloader = dict(
    dataset=dict(
        data_root=data_root,
        ann_file='annotations/lvis_v1_train.json',
        data_prefix=dict(img=''),
        vocabulary='lvis_v1',
        splits=('c', 'f'),
        drop_unknown=None,
        pipeline=train_pipeline))
val_dataloader = dict(
    dataset=dict(
        data_root=data_root,
        ann_file='annotations/lvis_v1_val.json',
        data_prefix=dict(img=''),
        vocabulary='lvis_v1',
        drop_unknown=None,
        # classes are known to be absent from images without boxes, too
        keep_only_annotated=False,
        pipeline=test_pipeline))
test_dataloader = val_dataloader
val_evaluator = dict(
    ann_file=data_root + 'annotations/lvis_v1_val.json',
    metric=['bbox', 'segm'],
    federated=True)
test_evaluator = val_evaluator
