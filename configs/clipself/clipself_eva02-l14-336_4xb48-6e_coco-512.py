# EVA02-CLIP-L/14-336, the P-VLM of DenseVLM. Published: 75.2, 73.1, 44.5 (Table 6).
_base_ = [
    './clipself_eva02-b16_4xb48-6e_coco-512.py',
    '../_base_/backbones/eva02-l14-336.py',
]
model = dict(backbone=_base_.encoder)
# crops at the size of the encoder's images
train_pipeline = _base_.train_pipeline
train_pipeline[5].size = 336
train_dataloader = dict(dataset=dict(pipeline=train_pipeline))
default_hooks = dict(export=dict(alpha=0.95))
