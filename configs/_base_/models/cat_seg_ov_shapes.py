# CAT-Seg at the scale of the tiny CLIPs: 128 px, 16 x 16 tokens, a quarter of the channels,
# one aggregation layer and one decoder stage (4 px).
_base_ = './cat_seg.py'

model = dict(
    data_preprocessor=dict(size=(128, 128)),
    backbone=dict(
        arch='ov-shapes-u',
        checkpoint='openvocab://ov-shapes-u',
        readout=dict(_delete_=True, type='openvocab.ValueReadout'),
        out_indices=(1,)),
    text_bank=dict(vocabulary='ov_shapes', prompts='densevlm'),
    decode_head=dict(
        dim=32,
        guide_dim=32,
        num_heads=2,
        num_layers=1,
        window=8,
        pad_classes=46,
        decoder_dims=(16,),
        tap_dims=(32,),
        tap_guide_dims=(8,)),
    inference=dict(_delete_=True, type='openvocab.WholeInference', batch_size=8))
