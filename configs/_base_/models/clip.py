# Region recognition by a CLIP as it is. One encoder, its own text tower, a vocabulary.
model = dict(
    type='openvocab.RegionRecognizer',
    backbone=dict(
        type='openvocab.CLIPBackbone',
        arch='EVA02-B-16',
        checkpoint='checkpoints/EVA02_CLIP_B_psz16_s8B.pt',
        # the readout that CLIPSelf and DenseVLM evaluate the original CLIP with
        readout=dict(type='openvocab.ValueReadout')),
    text_bank=dict(
        type='openvocab.TextBank',
        vocabulary='coco_panoptic_133',
        prompts='densevlm'),
    _scope_='mmengine')
