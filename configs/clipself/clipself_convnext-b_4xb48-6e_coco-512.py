# ConvNeXt-B. Published: Boxes 62.6, Masks-T 57.6, Masks-S 41.6 (Table 6).
_base_ = [
    './clipself_eva02-b16_4xb48-6e_coco-512.py',
    '../_base_/backbones/convnext-b.py',
]
model = dict(backbone=_base_.encoder)
# crops at the size of the encoder's images
train_pipeline = _base_.train_pipeline
train_pipeline[5].size = 256
train_dataloader = dict(dataset=dict(pipeline=train_pipeline))
