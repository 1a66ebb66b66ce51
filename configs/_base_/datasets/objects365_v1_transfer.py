# Transfer to Objects365 v1 val, 365 classes, images fitted into 896 x 896; test only.
_base_ = './coco_transfer.py'

data_root = 'data/Objects365/Obj365_v1/'
val_dataloader = dict(
    dataset=dict(
        data_root=data_root,
        ann_file='annotations/objects365_val.json',
        data_prefix=dict(img='val'),
        vocabulary='objects365_v1'))
test_dataloader = val_dataloader
val_evaluator = dict(ann_file=data_root + 'annotations/objects365_val.json')
test_evaluator = val_evaluator
