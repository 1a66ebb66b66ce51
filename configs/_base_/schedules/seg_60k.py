# Segmentation: 60,000 iterations, AdamW, polynomial decay without warm-up (SAN).
train_cfg = dict(
    type='IterBasedTrainLoop', max_iters=60000, val_interval=10000, _scope_='mmengine')

optim_wrapper = dict(
    # bfloat16 where the GPU has it, float32 elsewhere
    type='openvocab.AutocastOptimWrapper',
    # the frozen encoder never enters the optimizer
    constructor='openvocab.TrainableOnlyConstructor',
    optimizer=dict(type='AdamW', lr=1e-4, betas=(0.9, 0.999), weight_decay=1e-4),
    # no decay for norms, positions and queries
    paramwise_cfg=dict(
        norm_decay_mult=0.0,
        custom_keys=dict(
            pos_embed=dict(decay_mult=0.0),
            query_embed=dict(decay_mult=0.0),
            position_offset=dict(decay_mult=0.0))),
    clip_grad=dict(max_norm=0.01, norm_type=2),
    _scope_='mmengine')

param_scheduler = [
    dict(
        type='PolyLR',
        power=0.9,
        begin=0,
        end=60000,
        eta_min=0.0,
        by_epoch=False,
        _scope_='mmengine'),
]

# 8 GPUs x 4 images. With --auto-scale-lr the learning rate follows the batch linearly.
auto_scale_lr = dict(enable=False, base_batch_size=32)
