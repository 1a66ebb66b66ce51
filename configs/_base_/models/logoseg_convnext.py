# LoGoSeg on ConvNeXt-B, encoded as in SED: the whole tower trains, and crops are shown at
# twice their size, so that its last stage has 24 x 24 positions.
_base_ = [
    './logoseg.py',
    '../backbones/convnext-b-320.py',
]

model = dict(
    backbone=dict(
        _base_.encoder,
        readout=dict(_delete_=True, type='openvocab.ValueReadout'),
        # strides 8 and 16
        out_indices=(1, 2),
        trainable=dict(_delete_=True, type='openvocab.WholeTower')),
    encoder_scale=2.0)
