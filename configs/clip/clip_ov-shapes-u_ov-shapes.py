# The tiny U-VLM as it comes out of contrastive pre-training.
#   python tools/test.py configs/clip/clip_ov-shapes-u_ov-shapes.py
_base_ = [
    '../_base_/models/clip.py',
    '../_base_/datasets/ov_shapes_regions.py',
    '../_base_/default_runtime.py',
]
model = dict(
    backbone=dict(arch='ov-shapes-u', checkpoint='openvocab://ov-shapes-u'),
    text_bank=dict(vocabulary='ov_shapes'),
    with_crops=True)
