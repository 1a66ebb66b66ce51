# LoGoSeg on OV-Shapes: the schedule of CAT-Seg there.
_base_ = './cat_seg_ov_shapes.py'

optim_wrapper = dict(
    paramwise_cfg=dict(
        custom_keys=dict(
            decay_log=dict(decay_mult=0.0), skip_weight=dict(decay_mult=0.0))))
