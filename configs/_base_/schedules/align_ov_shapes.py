# Alignment of the tiny CLIPs: one pass, the recipe of align_6e.py at their scale.
_base_ = './align_6e.py'

max_epochs = 1
train_cfg = dict(max_epochs=max_epochs)
optim_wrapper = dict(optimizer=dict(lr=1e-3))
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
        T_max=max_epochs,
        by_epoch=True,
        convert_to_iter_based=True,
        _scope_='mmengine'),
]
auto_scale_lr = dict(enable=False, base_batch_size=8)
