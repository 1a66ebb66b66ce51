# Recipe of the tiny VFM: from scratch on the masks of OV-Shapes, without their names.
#   python tools/train.py configs/declip/declip_ov-shapes-vfm_pretrain_1xb8-1e_ov-shapes.py
# then tools/model_converters/pack_vfm.py makes the file that the package ships.
_base_ = [
    '../_base_/models/ov_shapes_vfm.py',
    '../_base_/datasets/ov_shapes_segments.py',
    '../_base_/default_runtime.py',
]
vfm = _base_.vfm
vfm.checkpoint = None
model = dict(type='openvocab.SegmentPretrainer', vfm=vfm)
max_epochs = 1
train_cfg = dict(type='EpochBasedTrainLoop', max_epochs=max_epochs)
optim_wrapper = dict(
    type='openvocab.AutocastOptimWrapper',
    constructor='openvocab.TrainableOnlyConstructor',
    optimizer=dict(type='AdamW', lr=2e-3, betas=(0.9, 0.98), weight_decay=0.05),
    paramwise_cfg=dict(flat_decay_mult=0.0),
    clip_grad=dict(max_norm=1.0))
param_scheduler = [
    dict(type='LinearLR', start_factor=5e-3, begin=0, end=100, by_epoch=False),
    dict(
        type='CosineAnnealingLR', T_max=max_epochs, by_epoch=True,
        convert_to_iter_based=True),
]
auto_scale_lr = dict(enable=False, base_batch_size=8)
