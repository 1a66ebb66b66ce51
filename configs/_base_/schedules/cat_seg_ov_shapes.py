# CAT-Seg on OV-Shapes: the recipe of seg_80k.py in 240 iterations, with the learning rates
# of the tiny CLIPs and of a head that has little time.
_base_ = './seg_80k.py'

max_iters = 240
train_cfg = dict(max_iters=max_iters, val_interval=max_iters)
optim_wrapper = dict(
    optimizer=dict(lr=8e-3),
    paramwise_cfg=dict(
        custom_keys=dict(backbone=dict(lr_mult=0.2), text_bank=dict(lr_mult=0.02))),
    clip_grad=dict(max_norm=1.0))
param_scheduler = _base_.param_scheduler
param_scheduler[0].update(T_max=max_iters, end=max_iters)
param_scheduler.insert(
    0,
    dict(
        type='LinearLR',
        start_factor=1e-2,
        begin=0,
        end=20,
        by_epoch=False,
        _scope_='mmengine'))
auto_scale_lr = dict(enable=False, base_batch_size=4)
