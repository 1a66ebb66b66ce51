# Run-time settings of detection with base and novel classes: beside the last checkpoints,
# the one that is best on novel classes.
_base_ = './default_runtime_det.py'

default_hooks = dict(
    checkpoint=dict(save_best='bbox_ap50_novel', rule='greater'))
