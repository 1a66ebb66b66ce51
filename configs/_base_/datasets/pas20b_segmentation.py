# Segmentation of PASCAL VOC 2012 val with the background: whatever is named like one of
# the 39 classes that only PASCAL-Context has is background, 21 classes are scored.
_base_ = './pas20_segmentation.py'

val_dataloader = dict(
    dataset=dict(
        vocabulary='pascal_voc_20b',
        reduce_zero_label=False,
        # label files as released: 1..20, and 0 for the background
        file_values=[*range(1, 21), 0]))
test_dataloader = val_dataloader
val_evaluator = dict(background_from=20)
test_evaluator = val_evaluator
