# CAT-Seg on ConvNeXt-B, trained as in SED: the whole image tower, frozen text, and crops
# shown at twice their size, so that its last stage has 24 x 24 positions.
_base_ = [
    './cat_seg.py',
    '../backbones/convnext-b-320.py',
]

model = dict(
    backbone=dict(
        _base_.encoder,
        readout=dict(_delete_=True, type='openvocab.ValueReadout'),
        # strides 8 and 16
        out_indices=(1, 2),
        trainable=dict(_delete_=True, type='openvocab.WholeTower')),
    text_bank=dict(
        _delete_=True,
        type='openvocab.TextBank',
        vocabulary='coco_stuff_171_labels',
        prompts=['A photo of a {} in the scene']),
    encoder_scale=2.0)
