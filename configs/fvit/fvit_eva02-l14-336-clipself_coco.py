# Transfer of the OV-LVIS detector (CLIPSelf) to COCO val2017, boxes only.
#   python tools/test.py configs/fvit/fvit_eva02-l14-336-clipself_coco.py \
#       work_dirs/OV_LVIS_DETECTOR/epoch_48.pth
# Published: AP / AP50 / AP75 40.5 / 63.8 / 44.3.
_base_ = [
    '../_base_/models/fvit_transfer_l14.py',
    '../_base_/backbones/eva02-l14-336-clipself_lvis.py',
    '../_base_/datasets/coco_transfer.py',
    '../_base_/default_runtime_det.py',
]
model = dict(backbone=_base_.encoder)
