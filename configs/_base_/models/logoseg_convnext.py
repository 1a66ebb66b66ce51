# LoGoSeg on ConvNeXt-B, encoded as in SED: the whole tower trains, and crops are shown at
# twice their size, so that its last stage has 24 x 24 positions.
_base_ = [
    './logoseg.py',
    '../backbones/convnext-b-sed.py',
]

model = dict(backbone=_base_.encoder, encoder_scale=2.0)
