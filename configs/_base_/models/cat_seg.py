# CAT-Seg: the similarity of every position with every class, refined by a head that knows
# no class. Widths, strides and the text tower follow from the backbone. Values: public code
# of the CVPR 2024 version (OpenAI ViT-B/16).
model = dict(
    type='openvocab.OVSegmentor',
    data_preprocessor=dict(size=(384, 384)),
    backbone=dict(
        type='openvocab.CLIPBackbone',
        arch='ViT-B-16-quickgelu',
        checkpoint='openai',
        # values instead of attention in the last block, on the class token's residual
        readout=dict(type='openvocab.ClassResidualReadout'),
        # these guide the decoder
        out_indices=(3, 7),
        # queries and values of all blocks, without biases
        trainable=dict(type='openvocab.AttentionProjections', letters='qv')),
    text_bank=dict(
        type='openvocab.TrainableText',
        vocabulary='coco_stuff_171_labels',
        prompts=['A photo of a {} in the scene'],
        trainable=dict(type='openvocab.AttentionProjections', letters='qv')),
    decode_head=dict(
        type='openvocab.CATSegHead',
        dim=128,
        guide_dim=128,
        num_heads=4,
        num_layers=2,
        window=12,
        # class attention on pooled maps in training, on whole ones in tests
        pool=2,
        pool_test=1,
        pad_classes=256,
        # None refines every class of larger vocabularies
        max_classes=256,
        decoder_dims=(64, 32),
        tap_dims=(256, 128),
        tap_guide_dims=(32, 16),
        # images x classes at a time; bounds memory, changes no result
        max_maps=32,
        # pixels without a label are negatives of every class
        loss=dict(type='openvocab.OVBCELoss', ignored_as_negative=True)),
    # where the encoder is shown less than the crop, as in the public code
    encoder_antialias=False,
    # a square of 640 px in windows of 384 px, averaged with a view of the whole
    inference=dict(
        type='openvocab.SlideAndGlobalInference', canvas=640, crop=384, stride=256),
    _scope_='mmseg')
