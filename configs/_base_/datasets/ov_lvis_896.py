# OV-LVIS at 896 px, for ViT-L/14.
_base_ = './ov_lvis_1024.py'

img_size = 896
train_pipeline = _base_.train_pipeline
train_pipeline[2].scale = (img_size, img_size)
train_pipeline[3].crop_size = (img_size, img_size)
test_pipeline = _base_.test_pipeline
test_pipeline[1].scale = (img_size, img_size)

train_dataloader = dict(dataset=dict(pipeline=train_pipeline))
val_dataloader = dict(dataset=dict(pipeline=test_pipeline))
test_dataloader = val_dataloader
