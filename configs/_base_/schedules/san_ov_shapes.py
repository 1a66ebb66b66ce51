# SAN on OV-Shapes: the recipe of seg_60k.py, 450 iterations (1.2 epochs) at ten times the
# rate.
_base_ = './seg_60k.py'

max_iters = 450
train_cfg = dict(max_iters=max_iters, val_interval=max_iters)
optim_wrapper = dict(optimizer=dict(lr=1e-3))
param_scheduler = _base_.param_scheduler
param_scheduler[0].end = max_iters
auto_scale_lr = dict(enable=False, base_batch_size=8)
