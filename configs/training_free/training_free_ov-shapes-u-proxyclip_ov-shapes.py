# ProxyCLIP on OV-Shapes: the tiny U-VLM, its values mixed by the tiny VFM.
#   python tools/test.py configs/training_free/training_free_ov-shapes-u-proxyclip_ov-shapes.py
_base_ = [
    './training_free_ov-shapes-u_ov-shapes.py',
    '../_base_/models/ov_shapes_vfm.py',
]
model = dict(
    backbone=dict(
        type='openvocab.ProxyCLIP', readout=None, vfm=_base_.vfm))
