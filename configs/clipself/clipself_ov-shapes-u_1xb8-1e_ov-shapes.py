# CLIPSelf on OV-Shapes; the same number of epochs as DenseVLM.
#   python tools/train.py configs/clipself/clipself_ov-shapes-u_1xb8-1e_ov-shapes.py
_base_ = [
    '../_base_/models/clipself.py',
    '../_base_/datasets/ov_shapes_grid_crops.py',
    '../_base_/schedules/align_ov_shapes.py',
    '../_base_/default_runtime_align.py',
]
model = dict(
    backbone=dict(arch='ov-shapes-u', checkpoint='openvocab://ov-shapes-u'),
    # the prompt of all methods here
    text_bank=dict(vocabulary='ov_shapes', prompts='densevlm'),
    with_crops=True)
