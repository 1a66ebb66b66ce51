# Segmentation of PASCAL VOC 2012 val, 20 classes, as released; background is ignored.
_base_ = './coco_stuff_segmentation.py'

val_dataloader = dict(
    dataset=dict(
        vocabulary='pascal_voc_20',
        reduce_zero_label=True,
        data_root='data/VOCdevkit/VOC2012/',
        ann_file='ImageSets/Segmentation/val.txt',
        data_prefix=dict(
            img_path='JPEGImages', seg_map_path='SegmentationClass')))
test_dataloader = val_dataloader
