# SAN: a side network proposes masks, a frozen CLIP names them. Sizes of CLIP, the blocks
# that name masks (the last quarter) and the text tower follow from the backbone. Values:
# public code (OpenAI ViT-B/16).
model = dict(
    type='openvocab.SANSegmentor',
    # training crops; images are never padded further than to size_divisor
    data_preprocessor=dict(size=(640, 640)),
    backbone=dict(
        type='openvocab.CLIPBackbone', arch='ViT-B-16-quickgelu', checkpoint='openai'),
    text_bank=dict(
        type='openvocab.TextBank',
        vocabulary='coco_stuff_171_labels',
        prompts='vild14'),
    # 640 px for the side network, 320 px for CLIP
    encoder_scale=0.5,
    # as in the public code
    encoder_antialias=False,
    size_divisor=32,
    decode_head=dict(
        type='openvocab.SANHead',
        side=dict(
            width=240,
            depth=8,
            num_heads=6,
            patch_size=16,
            grid=(40, 40),
            num_queries=100,
            fuse_after=(0, 1, 2, 3),
            decoder_width=256),
        aux_blocks=(7,),
        # the only part of CLIP that learns, as an offset; False freezes that too and
        # spares the backward pass through the first three quarters of CLIP
        train_positions=True,
        loss=dict(
            type='openvocab.MaskSetLoss',
            cls_weight=2.0,
            mask_weight=5.0,
            dice_weight=5.0,
            no_object_weight=0.1,
            num_points=12544)),
    _scope_='mmseg')
