# LoGoSeg: the 80,000 iterations of CAT-Seg after a linear warm-up, whose length the paper
# does not give.
_base_ = './seg_80k.py'

optim_wrapper = dict(
    paramwise_cfg=dict(
        # rates of decay and direct paths of the scans
        custom_keys=dict(
            decay_log=dict(decay_mult=0.0), skip_weight=dict(decay_mult=0.0))))
param_scheduler = _base_.param_scheduler
param_scheduler[0].update(T_max=78500, begin=1500)
param_scheduler.insert(
    0,
    dict(
        type='LinearLR',
        start_factor=1e-3,
        begin=0,
        end=1500,
        by_epoch=False,
        _scope_='mmengine'))
