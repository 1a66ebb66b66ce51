# F-ViT with EVA02-CLIP-B/16 refined by DeCLIP, on OV-LVIS.
#   bash tools/dist_train.sh configs/fvit/fvit_eva02-b16-declip_8xb8-48e_ov-lvis.py 8
# Published: mask AP r / c / f / all 26.8 / 22.4 / 29.8 / 26.0.
_base_ = './fvit_eva02-b16_8xb8-48e_ov-lvis.py'
model = dict(
    backbone=dict(
        type='openvocab.DeCLIP',
        readout=None,  # the preset's
        init_cfg=dict(
            type='Pretrained',
            checkpoint='checkpoints/DeCLIP_EVA-B_DINOv2-B_csa_0.05_2.0.pt')),
    # the one setting that DeCLIP changes
    roi_head=dict(bbox_head=dict(fusion=dict(temperature=90.0))))
