# Run-time settings of OV-LVIS: beside the last checkpoints, the one with the best masks of
# rare classes.
_base_ = './default_runtime_det.py'

default_hooks = dict(checkpoint=dict(save_best='segm_apr', rule='greater'))
