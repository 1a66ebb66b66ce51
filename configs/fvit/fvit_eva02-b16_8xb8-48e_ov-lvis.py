# F-ViT with the original EVA02-CLIP-B/16 on OV-LVIS (866 base / 337 novel), 1024 px.
#   bash tools/dist_train.sh configs/fvit/fvit_eva02-b16_8xb8-48e_ov-lvis.py 8
# Published: mask AP r / c / all 11.5 / 12.3 / 15.4.
_base_ = [
    '../_base_/models/fvit_mask.py',
    '../_base_/datasets/ov_lvis_1024.py',
    '../_base_/schedules/fvit_48e.py',
    '../_base_/default_runtime_ov_lvis.py',
]
