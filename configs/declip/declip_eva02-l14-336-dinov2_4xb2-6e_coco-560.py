# EVA02-CLIP-L/14-336, the public script's settings: 560 px are 40 x 40 tokens, scale 1,
# lambda 0.1, 0.95 of the student.
#   bash tools/dist_train.sh \
#       configs/declip/declip_eva02-l14-336-dinov2_4xb2-6e_coco-560.py 4
_base_ = [
    '../_base_/models/declip_l14.py',
    '../_base_/datasets/coco_declip_560_l14.py',
    '../_base_/schedules/declip_6e.py',
    '../_base_/default_runtime_align.py',
]
model = dict(
    backbone=dict(readout=dict(attn_scale=1.0)),
    context_loss=dict(loss_weight=0.1))
default_hooks = dict(export=dict(alpha=0.95))
auto_scale_lr = dict(base_batch_size=8)
