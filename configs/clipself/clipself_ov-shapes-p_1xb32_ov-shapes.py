# Second part of the recipe of the tiny P-VLM: CLIPSelf after contrastive pre-training.
#   python tools/train.py configs/clipself/clipself_ov-shapes-p_1xb32_ov-shapes.py \
#       --cfg-options model.backbone.checkpoint=PACKED.safetensors
_base_ = './clipself_ov-shapes-u_1xb32_ov-shapes.py'
model = dict(backbone=dict(arch='ov-shapes-p', checkpoint=None))
