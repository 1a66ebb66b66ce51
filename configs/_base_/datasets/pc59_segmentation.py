# Segmentation of PASCAL-Context val, 59 classes; background is ignored. Labels:
#   python tools/dataset_converters/prepare.py pascal-context
_base_ = './coco_stuff_segmentation.py'

val_dataloader = dict(
    dataset=dict(
        vocabulary='pascal_context_59',
        reduce_zero_label=True,
        data_root='data/VOCdevkit/VOC2010/',
        ann_file='ImageSets/SegmentationContext/val.txt',
        data_prefix=dict(
            img_path='JPEGImages', seg_map_path='SegmentationClassContext')))
test_dataloader = val_dataloader
