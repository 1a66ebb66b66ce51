# F-ViT on OV-LVIS: 48 epochs (about 75k steps of 64), steps at 32 and 44.
_base_ = './fvit_3e.py'

train_cfg = dict(max_epochs=48, val_interval=12)
param_scheduler = [
    *_base_.param_scheduler,
    dict(type='MultiStepLR', milestones=[32, 44], gamma=0.1, _scope_='mmengine'),
]
