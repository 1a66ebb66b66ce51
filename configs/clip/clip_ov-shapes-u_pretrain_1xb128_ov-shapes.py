# Recipe of the tiny U-VLM: contrastive, from scratch, 6 x 40k views of OV-Shapes.
#   python tools/dataset_converters/ov_shapes.py --caption-views 40000
#   python tools/train.py configs/clip/clip_ov-shapes-u_pretrain_1xb128_ov-shapes.py
# then tools/model_converters/pack_clip.py makes the file that the package ships.
_base_ = [
    '../_base_/datasets/ov_shapes_views.py',
    '../_base_/default_runtime.py',
]
model = dict(type='openvocab.ContrastivePretrainer', arch='ov-shapes-u')
max_epochs = 6
train_cfg = dict(type='EpochBasedTrainLoop', max_epochs=max_epochs)
optim_wrapper = dict(
    type='openvocab.AutocastOptimWrapper',
    on_cpu=True,
    constructor='openvocab.MuonConstructor',
    optimizer=dict(type='AdamW', lr=2e-3, betas=(0.9, 0.98), weight_decay=0.05),
    paramwise_cfg=dict(flat_decay_mult=0.0),
    clip_grad=dict(max_norm=1.0))
param_scheduler = [
    dict(type='LinearLR', start_factor=5e-3, begin=0, end=200, by_epoch=False),
    dict(
        type='CosineAnnealingLR', T_max=max_epochs, by_epoch=True,
        convert_to_iter_based=True),
]
auto_scale_lr = dict(enable=False, base_batch_size=128)
