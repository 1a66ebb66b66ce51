# DeCLIP, the public script's settings: 560 px, scale 1, lambda 0.1, 0.7 of the student.
#   bash tools/dist_train.sh configs/declip/declip_eva02-b16-dinov2_4xb4-6e_coco-560.py 4
# Published: things 72.4, stuff 50.6 (Table 11, lambda 0.1).
_base_ = [
    '../_base_/models/declip.py',
    '../_base_/datasets/coco_declip_560.py',
    '../_base_/schedules/declip_6e.py',
    '../_base_/default_runtime_align.py',
]
model = dict(
    backbone=dict(readout=dict(attn_scale=1.0)),
    context_loss=dict(loss_weight=0.1))
default_hooks = dict(export=dict(alpha=0.7))
