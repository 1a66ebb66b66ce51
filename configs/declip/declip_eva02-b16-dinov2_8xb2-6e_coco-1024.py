# DeCLIP, the paper's settings: EVA02-CLIP-B/16 and DINOv2-B/14, 64 x 64 tokens each.
#   bash tools/dist_train.sh configs/declip/declip_eva02-b16-dinov2_8xb2-6e_coco-1024.py 8
# Published: things 77.2, stuff 52.5 (Tables 6 and 7); 6 x 44 min on eight RTX 4090.
_base_ = [
    '../_base_/models/declip.py',
    '../_base_/datasets/coco_declip_1024.py',
    '../_base_/schedules/declip_6e.py',
    '../_base_/default_runtime_align.py',
]
