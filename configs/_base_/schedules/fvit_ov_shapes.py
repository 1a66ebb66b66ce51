# F-ViT on OV-Shapes: the recipe of fvit_3e.py, shorter, and ending in a cosine.
_base_ = './fvit_3e.py'

max_epochs = 1
train_cfg = dict(max_epochs=max_epochs)
optim_wrapper = dict(optimizer=dict(lr=1e-3, weight_decay=0.01))
param_scheduler = _base_.param_scheduler
param_scheduler[0].update(start_factor=1e-2, end=30)
param_scheduler.append(
    dict(
        type='CosineAnnealingLR',
        T_max=max_epochs,
        by_epoch=True,
        convert_to_iter_based=True,
        _scope_='mmengine'))
auto_scale_lr = dict(enable=False, base_batch_size=8)
