# CAT-Seg on OV-Shapes with the tiny U-VLM as it is, about two minutes on one CPU core:
#   python tools/train.py configs/cat_seg/cat_seg_ov-shapes-u_1xb4-240i_ov-shapes.py
# Any aligned encoder, in training and in testing, by
#   --cfg-options model.backbone.init_cfg.type=Pretrained \
#       model.backbone.init_cfg.checkpoint=work_dirs/NAME/encoder.safetensors
_base_ = [
    '../_base_/models/cat_seg_ov_shapes.py',
    '../_base_/datasets/ov_shapes_segmentation.py',
    '../_base_/schedules/cat_seg_ov_shapes.py',
    '../_base_/default_runtime_seg.py',
]
train_dataloader = dict(batch_size=4)
