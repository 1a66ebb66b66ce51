# LoGoSeg on OpenAI ViT-B/16: object prior, region alignment, contextual fusion. Encoder,
# preprocessing and inference are CAT-Seg's; the text tower is frozen. None removes a part
# (Tables 2 and 3): prior, regions, fusion; fusion.local, fusion.context.
_base_ = './cat_seg.py'

model = dict(
    text_bank=dict(
        _delete_=True,
        type='openvocab.TextBank',
        vocabulary='coco_stuff_171_labels',
        prompts=['A photo of a {} in the scene']),
    decode_head=dict(
        _delete_=True,
        type='openvocab.LoGoSegHead',
        dim=128,
        # lambda; learn_weight=True is "Adapt." of Table 4
        prior=dict(type='openvocab.ObjectPrior', weight=1.0),
        # r of the r x r regions
        regions=dict(type='openvocab.RegionAlignment', regions=6),
        fusion=dict(
            type='openvocab.ContextualFusion',
            depth=2,
            local=dict(type='openvocab.DirectionalAttention', num_heads=4, stripe=4),
            context=dict(type='openvocab.SS2D', state=1, gate=False),
            queries=dict(type='openvocab.LanguageQueries', num_heads=4)),
        # False is Eq. 3 to the letter, in which the prior cancels
        prior_in_similarity=True,
        # None leaves out the cosine of position and class
        cost_kernel=7,
        decoder_dims=(64, 32),
        tap_dims=(256, 128),
        tap_guide_dims=(32, 16),
        # images x classes at a time; bounds memory, changes no result
        max_maps=32,
        # Eq. 13: pixels without a label do not count
        loss=dict(type='openvocab.OVBCELoss', ignored_as_negative=False)))
