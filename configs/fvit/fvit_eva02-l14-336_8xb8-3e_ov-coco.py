# F-ViT with the original EVA02-CLIP-L/14-336 on OV-COCO, 896 px.
#   bash tools/dist_train.sh configs/fvit/fvit_eva02-l14-336_8xb8-3e_ov-coco.py 8
_base_ = [
    '../_base_/models/fvit.py',
    '../_base_/datasets/ov_coco_896.py',
    '../_base_/schedules/fvit_3e.py',
    '../_base_/default_runtime_ov_det.py',
]
model = dict(
    data_preprocessor=dict(pad_size_divisor=896),
    backbone=dict(
        arch='EVA02-L-14-336',
        checkpoint='checkpoints/EVA02_CLIP_L_336_psz14_s6B.pt',
        out_indices=(6, 10, 14, 23)))
