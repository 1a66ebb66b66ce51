# Alignment: 6 epochs, AdamW, 1000 linear warm-up steps on a cosine per iteration
# (DenseVLM and CLIPSelf share these settings).
train_cfg = dict(
    type='EpochBasedTrainLoop', max_epochs=6, val_interval=1, _scope_='mmengine')

optim_wrapper = dict(
    # bfloat16 where the GPU has it, float32 elsewhere
    type='openvocab.AutocastOptimWrapper',
    # frozen parameters never enter the optimizer
    constructor='openvocab.TrainableOnlyConstructor',
    optimizer=dict(type='AdamW', lr=1e-5, betas=(0.9, 0.98), eps=1e-6, weight_decay=0.1),
    # no decay for biases, norms and other 1-d parameters
    paramwise_cfg=dict(flat_decay_mult=0.0),
    _scope_='mmengine')

param_scheduler = [
    dict(
        type='LinearLR',
        start_factor=1e-3,
        begin=0,
        end=1000,
        by_epoch=False,
        _scope_='mmengine'),
    dict(
        type='CosineAnnealingLR',
        begin=0,
        end=6,
        T_max=6,
        eta_min=0.0,
        by_epoch=True,
        convert_to_iter_based=True,
        _scope_='mmengine'),
]

# The paper's total batch: 4 GPUs x 48 images. With --auto-scale-lr the learning rate
# follows the batch linearly.
auto_scale_lr = dict(enable=False, base_batch_size=192)
