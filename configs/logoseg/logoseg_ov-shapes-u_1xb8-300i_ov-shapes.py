# LoGoSeg on OV-Shapes with the tiny U-VLM as it is:
#   python tools/train.py configs/logoseg/logoseg_ov-shapes-u_1xb8-300i_ov-shapes.py
_base_ = [
    '../_base_/models/logoseg_ov_shapes.py',
    '../_base_/datasets/ov_shapes_segmentation.py',
    '../_base_/schedules/logoseg_ov_shapes.py',
    '../_base_/default_runtime_seg.py',
]

# with the share of predicted classes that an image does not show
val_evaluator = [
    dict(type='openvocab.OVIoUMetric', _scope_='mmengine'),
    dict(type='openvocab.HallucinationMetric', _scope_='mmengine'),
]
test_evaluator = val_evaluator
