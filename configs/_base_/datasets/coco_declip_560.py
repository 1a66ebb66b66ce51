# DeCLIP's script: 560 px (35 x 35 patches of 16), at most 20 cells, roughly square.
_base_ = './coco_grid_crops.py'

img_size = 560
train_pipeline = _base_.train_pipeline
train_pipeline[2].size = img_size
train_pipeline[3].size = (img_size, img_size)
train_pipeline[4].max_regions = 20
eval_pipeline = _base_.eval_pipeline
eval_pipeline[1].size = img_size
eval_pipeline[2].size = (img_size, img_size)

train_dataloader = dict(batch_size=4, dataset=dict(pipeline=train_pipeline))
val_dataloader = dict(batch_size=4, dataset=dict(pipeline=eval_pipeline))
test_dataloader = val_dataloader
