# F-ViT on OV-LVIS: 48 epochs (about 75k steps of 64), steps at 32 and 44.
_base_ = './fvit_3e.py'

train_cfg = dict(max_epochs=48, val_interval=12)
param_scheduler = [
    dict(
        type='LinearLR',
        start_factor=1e-3,
        begin=0,
        end=250,
        by_epoch=False,
        _scope_='mmengine'),
    dict(type='MultiStepLR', milestones=[32, 44], gamma=0.1, _scope_='mmengine'),
]
