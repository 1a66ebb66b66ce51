# Segmentation of PASCAL-Context val, 459 classes, 16-bit labels; 345 of them occur, so
# that the rule of averaging matters: state which one a figure is. Labels:
#   python tools/dataset_converters/prepare.py pascal-context-459
# and pascal-context as for PC-59, which writes the list of images. CAT-Seg's figures are
# with the names of pc459_glued_segmentation.py.
_base_ = './pc59_segmentation.py'

val_dataloader = dict(
    dataset=dict(
        vocabulary='pascal_context_459',
        reduce_zero_label=False,
        data_prefix=dict(seg_map_path='SegmentationContext459')))
test_dataloader = val_dataloader
