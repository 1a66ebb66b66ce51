# DenseVLM on OV-Shapes: the tiny U-VLM taught by the tiny P-VLM.
#   python tools/train.py configs/densevlm/densevlm_ov-shapes-u_1xb8-1e_ov-shapes.py
_base_ = [
    '../_base_/models/densevlm.py',
    '../_base_/datasets/ov_shapes_grid.py',
    '../_base_/schedules/align_ov_shapes.py',
    '../_base_/default_runtime_align.py',
]
model = dict(
    backbone=dict(arch='ov-shapes-u', checkpoint='openvocab://ov-shapes-u'),
    teacher=dict(
        arch='ov-shapes-p', checkpoint='openvocab://ov-shapes-p', init_cfg=None),
    student_text=dict(vocabulary='ov_shapes'),
    teacher_text=dict(vocabulary='ov_shapes'),
    text_bank=dict(vocabulary='ov_shapes'),
    # 1 / the logit scale that the tiny CLIPs learned; 0.01 would drop no region
    loss=dict(tau=0.04),
    with_crops=True)
