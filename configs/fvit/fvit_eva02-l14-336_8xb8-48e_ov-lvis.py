# F-ViT with the original EVA02-CLIP-L/14-336 on OV-LVIS, 896 px.
#   bash tools/dist_train.sh configs/fvit/fvit_eva02-l14-336_8xb8-48e_ov-lvis.py 8
_base_ = [
    '../_base_/models/fvit_mask_l14.py',
    '../_base_/datasets/ov_lvis_896.py',
    '../_base_/schedules/fvit_48e.py',
    '../_base_/default_runtime_ov_lvis.py',
]
