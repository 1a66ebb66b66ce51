# Segmentation of ADE20K val, 847 classes, 16-bit labels. Images and labels:
#   python tools/dataset_converters/prepare.py ade20k-847
# Data prepared for detectron2 serve as well: images_detectron2/validation,
# annotations_detectron2/validation and seg_map_suffix='.tif'.
_base_ = './coco_stuff_segmentation.py'

val_dataloader = dict(
    dataset=dict(
        vocabulary='ade20k_847',
        data_root='data/ADE20K_2021_17_01/',
        data_prefix=dict(
            img_path='images_847/validation',
            seg_map_path='annotations_847/validation')))
test_dataloader = val_dataloader
