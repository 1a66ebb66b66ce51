# Run-time settings of region recognition and pre-training. Types of openvocab are written
# with their prefix; `_scope_` keeps the others resolvable when a config of another
# package inherits this file.
default_scope = 'mmengine'

default_hooks = dict(
    runtime_info=dict(type='RuntimeInfoHook', _scope_='mmengine'),
    timer=dict(type='IterTimerHook', _scope_='mmengine'),
    sampler_seed=dict(type='DistSamplerSeedHook', _scope_='mmengine'),
    logger=dict(type='LoggerHook', interval=20, _scope_='mmengine'),
    param_scheduler=dict(type='ParamSchedulerHook', _scope_='mmengine'),
    # Complete or absent, never half written; keeps the last two.
    checkpoint=dict(
        type='openvocab.AtomicCheckpointHook',
        interval=1,
        max_keep_ckpts=2,
        _scope_='mmengine'),
    # Resuming at an epoch's end continues exactly as if nothing had happened.
    epoch_seed=dict(type='openvocab.EpochSeedHook', _scope_='mmengine'),
    # report.json and report.md after tools/test.py
    report=dict(type='openvocab.ReportHook', _scope_='mmengine'),
)

env_cfg = dict(
    cudnn_benchmark=True,
    mp_cfg=dict(mp_start_method='fork', opencv_num_threads=0),
    dist_cfg=dict(backend='nccl'),
)
randomness = dict(seed=0, deterministic=False)

log_level = 'INFO'
log_processor = dict(
    type='LogProcessor', window_size=20, by_epoch=True, _scope_='mmengine')
visualizer = dict(
    type='Visualizer',
    vis_backends=[dict(type='LocalVisBackend')],
    _scope_='mmengine')

load_from = None
resume = False
