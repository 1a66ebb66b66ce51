# Segmentation: 80,000 iterations, AdamW, cosine without warm-up (CAT-Seg).
train_cfg = dict(
    type='IterBasedTrainLoop', max_iters=80000, val_interval=10000, _scope_='mmengine')

optim_wrapper = dict(
    # bfloat16 where the GPU has it, float32 elsewhere; the public code trains in float32
    type='openvocab.AutocastOptimWrapper',
    # frozen parameters never enter the optimizer
    constructor='openvocab.TrainableOnlyConstructor',
    optimizer=dict(type='AdamW', lr=2e-4, betas=(0.9, 0.999), weight_decay=1e-4),
    paramwise_cfg=dict(
        norm_decay_mult=0.0,
        # both towers of CLIP at a hundredth of the head's learning rate
        custom_keys=dict(backbone=dict(lr_mult=0.01), text_bank=dict(lr_mult=0.01))),
    clip_grad=dict(max_norm=0.01, norm_type=2),
    _scope_='mmengine')

param_scheduler = [
    dict(
        type='CosineAnnealingLR',
        T_max=80000,
        begin=0,
        end=80000,
        eta_min=0.0,
        by_epoch=False,
        _scope_='mmengine'),
]

# 4 GPUs x 1 image. With --auto-scale-lr the learning rate follows the batch linearly.
auto_scale_lr = dict(enable=False, base_batch_size=4)
