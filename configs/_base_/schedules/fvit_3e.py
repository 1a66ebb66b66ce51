# F-ViT on OV-COCO: 3 epochs at a constant rate after 250 warm-up steps.
train_cfg = dict(
    type='EpochBasedTrainLoop', max_epochs=3, val_interval=1, _scope_='mmengine')

optim_wrapper = dict(
    # bfloat16 where the GPU has it, float32 elsewhere
    type='openvocab.AutocastOptimWrapper',
    # the frozen encoder never enters the optimizer
    constructor='openvocab.TrainableOnlyConstructor',
    # weight decay on everything, norms and temperature too (public code)
    optimizer=dict(type='AdamW', lr=1e-4, betas=(0.9, 0.999), weight_decay=0.1),
    clip_grad=dict(max_norm=1.0, norm_type=2),
    _scope_='mmengine')

param_scheduler = [
    dict(
        type='LinearLR',
        start_factor=1e-3,
        begin=0,
        end=250,
        by_epoch=False,
        _scope_='mmengine'),
]

# 8 GPUs x 8 images. With --auto-scale-lr the learning rate follows the batch linearly.
auto_scale_lr = dict(enable=False, base_batch_size=64)
