# DeCLIP, the paper's settings: context from Q, scaled by 1 / sqrt(d), DINOv2, lambda 0.25.
model = dict(
    type='openvocab.DeCLIPAligner',
    backbone=dict(
        type='openvocab.DeCLIP',
        arch='EVA02-B-16',
        checkpoint='checkpoints/EVA02_CLIP_B_psz16_s8B.pt',
        readout=dict(type='openvocab.SelfSelfReadout', projections='q'),
        trainable_blocks=-1),
    text_bank=dict(
        type='openvocab.TextBank',
        vocabulary='coco_panoptic_133',
        # for the region report alone: the prompts of the published figures
        prompts='vild63'),
    vfm=dict(
        type='openvocab.DINOv2',
        checkpoint='checkpoints/dinov2_vitb14_reg4_pretrain.pth'),
    context=dict(type='openvocab.DecoupledContext'),
    loss=dict(type='openvocab.CosineDistillLoss', loss_weight=1.0),
    context_loss=dict(type='openvocab.ContextDistillLoss', loss_weight=0.25),
    # padding takes part in the context term, as published
    mask_padding=False,
    _scope_='mmengine')
