# R50x4, which CLIPSelf does not improve. Published: 59.1, 49.9, 37.2 (Table 6).
_base_ = [
    './clipself_eva02-b16_4xb48-6e_coco-512.py',
    '../_base_/backbones/rn50x4.py',
]
model = dict(backbone=_base_.encoder)
# crops at the size of the encoder's images
train_pipeline = _base_.train_pipeline
train_pipeline[5].size = 288
train_dataloader = dict(dataset=dict(pipeline=train_pipeline))
