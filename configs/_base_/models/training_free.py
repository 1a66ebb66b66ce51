# Segmentation by CLIP alone: ViT-B/16 of OpenAI, templates and windows of ClearCLIP. The
# readout of the last block is what the methods differ in. Images come at their own size;
# `canvas` is the shorter side that they are resized to.
model = dict(
    type='openvocab.TrainingFreeSegmentor',
    backbone=dict(
        type='openvocab.CLIPBackbone',
        arch='ViT-B-16-quickgelu',
        checkpoint='openai',
        readout=dict(type='openvocab.ClearCLIPReadout')),
    text_bank=dict(
        type='openvocab.TextBank',
        vocabulary='pascal_voc_21',
        prompts='imagenet80'),
    inference=dict(
        type='openvocab.SlideAndGlobalInference',
        canvas=448,
        keep_ratio=True,
        crop=448,
        stride=224,
        global_weight=0,
        batch_size=16),
    logit_scale=50.0,
    _scope_='mmseg')
