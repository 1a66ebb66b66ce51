# DeCLIP's paper: 1024 px (64 x 64 patches of 16), grids of up to 6 x 6 cells.
_base_ = './coco_grid_crops.py'

img_size = 1024
train_pipeline = _base_.train_pipeline
train_pipeline[2].size = img_size
train_pipeline[3].size = (img_size, img_size)
train_pipeline[4].type = 'openvocab.GridRegions'
eval_pipeline = _base_.eval_pipeline
eval_pipeline[1].size = img_size
eval_pipeline[2].size = (img_size, img_size)

train_dataloader = dict(batch_size=2, dataset=dict(pipeline=train_pipeline))
val_dataloader = dict(batch_size=4, dataset=dict(pipeline=eval_pipeline))
test_dataloader = val_dataloader
