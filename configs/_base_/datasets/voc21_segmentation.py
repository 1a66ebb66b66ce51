# Segmentation of PASCAL VOC 2012 val with a class called background, as released.
_base_ = './pas20_segmentation.py'

val_dataloader = dict(
    dataset=dict(vocabulary='pascal_voc_21', reduce_zero_label=False))
test_dataloader = val_dataloader
