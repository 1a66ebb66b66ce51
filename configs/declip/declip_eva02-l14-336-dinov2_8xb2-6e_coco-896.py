# EVA02-CLIP-L/14-336 and DINOv2-L/14, the paper's settings: 896 px are 64 x 64 tokens.
#   bash tools/dist_train.sh \
#       configs/declip/declip_eva02-l14-336-dinov2_8xb2-6e_coco-896.py 8
# No published region figures; what it gives detectors stands in configs/fvit.
_base_ = [
    '../_base_/models/declip_l14.py',
    '../_base_/datasets/coco_declip_896_l14.py',
    '../_base_/schedules/declip_6e.py',
    '../_base_/default_runtime_align.py',
]
