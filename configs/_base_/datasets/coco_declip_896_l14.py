# DeCLIP's paper, patches of 14: 896 px (64 x 64), crops at the encoder's 336 px.
_base_ = './coco_declip_1024.py'

img_size = 896
train_pipeline = _base_.train_pipeline
train_pipeline[2].size = img_size
train_pipeline[3].size = (img_size, img_size)
train_pipeline[5].size = 336
eval_pipeline = _base_.eval_pipeline
eval_pipeline[1].size = img_size
eval_pipeline[2].size = (img_size, img_size)

train_dataloader = dict(dataset=dict(pipeline=train_pipeline))
val_dataloader = dict(dataset=dict(pipeline=eval_pipeline))
test_dataloader = val_dataloader
