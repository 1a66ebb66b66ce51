# SAN with EVA02-CLIP-B/16 refined by DeCLIP; nothing was published. SAN runs the blocks as
# they are; the preset states what the weights were trained for.
#   bash tools/dist_train.sh configs/san/san_eva02-b16-declip_8xb4-60k_coco-stuff.py 8
_base_ = './san_eva02-b16_8xb4-60k_coco-stuff.py'
model = dict(
    backbone=dict(
        type='openvocab.DeCLIP',
        readout=None,
        init_cfg=dict(
            type='Pretrained',
            checkpoint='checkpoints/DeCLIP_EVA-B_DINOv2-B_csa_0.05_2.0.pt')))
