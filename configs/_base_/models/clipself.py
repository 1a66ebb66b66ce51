# CLIPSelf: the student's pooled regions follow the original CLIP's crop embeddings.
model = dict(
    type='openvocab.CLIPSelfAligner',
    backbone=dict(
        type='openvocab.CLIPSelf',
        arch='EVA02-B-16',
        checkpoint='checkpoints/EVA02_CLIP_B_psz16_s8B.pt',
        trainable_blocks=-1),
    text_bank=dict(
        type='openvocab.TextBank',
        vocabulary='coco_panoptic_133',
        # for the region report alone: the prompts of the published figures
        prompts='vild63'),
    _scope_='mmengine')
