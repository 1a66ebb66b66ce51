# Segmentation of OV-Shapes by the tiny U-VLM alone; any readout, any aligned encoder:
#   python tools/test.py configs/training_free/training_free_ov-shapes-u_ov-shapes.py \
#       --cfg-options model.backbone.readout.type=openvocab.NACLIPReadout \
#       model.backbone.init_cfg.type=Pretrained \
#       model.backbone.init_cfg.checkpoint=work_dirs/quickstart/DenseVLM-0/encoder.safetensors
_base_ = [
    '../_base_/models/training_free.py',
    '../_base_/datasets/ov_shapes_segmentation.py',
    '../_base_/default_runtime_seg.py',
]
model = dict(
    backbone=dict(arch='ov-shapes-u', checkpoint='openvocab://ov-shapes-u'),
    text_bank=dict(vocabulary='ov_shapes', prompts='densevlm'),
    inference=dict(_delete_=True, type='openvocab.WholeInference'))
train_dataloader = None  # nothing is trained
