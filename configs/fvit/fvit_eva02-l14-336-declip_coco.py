# Transfer of the OV-LVIS detector (DeCLIP) to COCO val2017, boxes only.
#   python tools/test.py configs/fvit/fvit_eva02-l14-336-declip_coco.py \
#       work_dirs/OV_LVIS_DETECTOR/epoch_48.pth
# Published: AP / AP50 / AP75 41.0 / 64.6 / 44.8.
_base_ = [
    '../_base_/models/fvit_transfer_l14.py',
    '../_base_/backbones/eva02-l14-336-declip.py',
    '../_base_/datasets/coco_transfer.py',
    '../_base_/default_runtime_det.py',
]
model = dict(backbone=_base_.encoder)
