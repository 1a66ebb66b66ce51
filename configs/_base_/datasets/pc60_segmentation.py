# Segmentation of PASCAL-Context val, background and 59 classes; labels as of PC-59.
_base_ = './pc59_segmentation.py'

val_dataloader = dict(
    dataset=dict(vocabulary='pascal_context_60', reduce_zero_label=False))
test_dataloader = val_dataloader
