# Segmentation of PASCAL VOC 2012 val, 21 classes, with images at their own size, for models
# that resize and cut them themselves and are not trained.
_base_ = './voc21_segmentation.py'

test_pipeline = [
    dict(type='LoadImageFromFile', _scope_='mmseg'),
    dict(type='openvocab.LoadOVAnnotations'),
    dict(type='PackSegInputs', _scope_='mmseg'),
]
test_dataloader = dict(dataset=dict(pipeline=test_pipeline))
test_evaluator = dict(train_vocabulary=None)
val_cfg = val_dataloader = val_evaluator = None
