# SAN on OV-Shapes with the tiny U-VLM as it is, about two minutes on one CPU core:
#   python tools/train.py configs/san/san_ov-shapes-u_1xb8-450i_ov-shapes.py
# Any aligned encoder, in training and in testing, by
#   --cfg-options model.backbone.init_cfg.type=Pretrained \
#       model.backbone.init_cfg.checkpoint=work_dirs/NAME/encoder.safetensors
_base_ = [
    '../_base_/models/san_ov_shapes.py',
    '../_base_/datasets/ov_shapes_segmentation.py',
    '../_base_/schedules/san_ov_shapes.py',
    '../_base_/default_runtime_seg.py',
]
