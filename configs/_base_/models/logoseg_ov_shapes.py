# LoGoSeg at the scale of the tiny CLIPs: 128 px, 16 x 16 tokens in 4 x 4 regions, a quarter
# of the channels and one decoder stage (4 px).
_base_ = './logoseg.py'

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
        regions=dict(regions=4),
        fusion=dict(local=dict(num_heads=2), queries=dict(num_heads=2)),
        decoder_dims=(16,),
        tap_dims=(32,),
        tap_guide_dims=(8,)),
    inference=dict(_delete_=True, type='openvocab.WholeInference', batch_size=8))
