# Segmentation of COCO-Object val2017: background and 80 things, nothing is ignored.
#   python tools/dataset_converters/prepare.py coco-object
_base_ = './coco_stuff_segmentation.py'

val_dataloader = dict(
    dataset=dict(
        vocabulary='coco_object_81',
        data_prefix=dict(seg_map_path='stuffthingmaps_81/val2017')))
test_dataloader = val_dataloader
