# Alignment of the tiny CLIPs: the recipe of align_6e.py at a tenth of its steps.
_base_ = './align_6e.py'

train_cfg = dict(max_epochs=3, val_interval=3)
optim_wrapper = dict(optimizer=dict(lr=5e-4))
param_scheduler = [
    dict(
        type='LinearLR',
        start_factor=1e-3,
        begin=0,
        end=20,
        by_epoch=False,
        _scope_='mmengine'),
    dict(
        type='CosineAnnealingLR',
        begin=0,
        end=3,
        T_max=3,
        eta_min=0.0,
        by_epoch=True,
        convert_to_iter_based=True,
        _scope_='mmengine'),
]
auto_scale_lr = dict(enable=False, base_batch_size=32)
