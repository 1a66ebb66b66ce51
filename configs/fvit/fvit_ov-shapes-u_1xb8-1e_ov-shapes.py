# F-ViT on OV-Shapes with the tiny U-VLM as it is; any aligned encoder by one line:
#   python tools/train.py configs/fvit/fvit_ov-shapes-u_1xb8-1e_ov-shapes.py \
#       --cfg-options model.backbone.init_cfg.type=Pretrained \
#       model.backbone.init_cfg.checkpoint=work_dirs/NAME/encoder.safetensors
_base_ = [
    '../_base_/models/fvit_ov_shapes.py',
    '../_base_/datasets/ov_shapes_detection.py',
    '../_base_/schedules/fvit_ov_shapes.py',
    '../_base_/default_runtime_ov_det.py',
]
