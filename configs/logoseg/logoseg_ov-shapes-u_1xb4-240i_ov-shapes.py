# LoGoSeg on OV-Shapes with the tiny U-VLM as it is, 90 seconds on one CPU core:
#   python tools/train.py configs/logoseg/logoseg_ov-shapes-u_1xb4-240i_ov-shapes.py
# Any aligned encoder, in training and in testing, by
#   --cfg-options model.backbone.init_cfg.type=Pretrained \
#       model.backbone.init_cfg.checkpoint=work_dirs/NAME/encoder.safetensors
_base_ = [
    '../_base_/models/logoseg_ov_shapes.py',
    '../_base_/datasets/ov_shapes_segmentation.py',
    '../_base_/schedules/logoseg_ov_shapes.py',
    '../_base_/default_runtime_seg.py',
]

train_dataloader = dict(batch_size=4)
