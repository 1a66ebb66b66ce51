# Second part of the recipe of the tiny P-VLM: CLIPSelf after contrastive pre-training.
#   python tools/train.py configs/clipself/clipself_ov-shapes-p_1xb16-5e_ov-shapes.py \
#       --cfg-options model.backbone.checkpoint=PACKED.safetensors
_base_ = './clipself_ov-shapes-u_1xb8-1e_ov-shapes.py'
model = dict(backbone=dict(arch='ov-shapes-p', checkpoint=None))
train_dataloader = dict(batch_size=16)
train_cfg = dict(max_epochs=5)
optim_wrapper = dict(on_cpu=True)
param_scheduler = [
    dict(type='LinearLR', start_factor=1e-3, begin=0, end=20, by_epoch=False),
    dict(type='CosineAnnealingLR', T_max=5, by_epoch=True, convert_to_iter_based=True),
]
auto_scale_lr = dict(base_batch_size=16)
