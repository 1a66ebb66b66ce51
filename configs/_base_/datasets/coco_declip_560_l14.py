# DeCLIP's script, patches of 14: 560 px (40 x 40), crops at the encoder's 336 px.
_base_ = './coco_declip_560.py'

train_pipeline = _base_.train_pipeline
train_pipeline[5].size = 336

train_dataloader = dict(batch_size=2, dataset=dict(pipeline=train_pipeline))
