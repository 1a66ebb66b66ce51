# Training on PASCAL-Context (59 classes) at 384 px, and testing on it. Labels:
#   python tools/dataset_converters/prepare.py pascal-context
_base_ = './coco_stuff_384_segmentation.py'

dataset = dict(
    vocabulary='pascal_context_59',
    reduce_zero_label=True,
    data_root='data/VOCdevkit/VOC2010/',
    data_prefix=dict(img_path='JPEGImages', seg_map_path='SegmentationClassContext'))
train_dataloader = dict(
    dataset=dict(ann_file='ImageSets/SegmentationContext/train.txt', **dataset))
val_dataloader = dict(
    dataset=dict(ann_file='ImageSets/SegmentationContext/val.txt', **dataset))
test_dataloader = val_dataloader
val_evaluator = dict(train_vocabulary='pascal_context_59')
test_evaluator = val_evaluator
