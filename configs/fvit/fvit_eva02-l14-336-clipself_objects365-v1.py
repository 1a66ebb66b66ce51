# Transfer of the OV-LVIS detector (CLIPSelf) to Objects365 v1 val, boxes only.
#   python tools/test.py configs/fvit/fvit_eva02-l14-336-clipself_objects365-v1.py \
#       work_dirs/OV_LVIS_DETECTOR/epoch_48.pth
# Published: AP / AP50 / AP75 19.5 / 31.3 / 20.7.
_base_ = [
    '../_base_/models/fvit_transfer_l14.py',
    '../_base_/backbones/eva02-l14-336-clipself_lvis.py',
    '../_base_/datasets/objects365_v1_transfer.py',
    '../_base_/default_runtime_det.py',
]
model = dict(
    backbone=_base_.encoder,
    text_bank=dict(vocabulary='objects365_v1'),
    roi_head=dict(bbox_head=dict(fusion=dict(alpha=0.3))))
