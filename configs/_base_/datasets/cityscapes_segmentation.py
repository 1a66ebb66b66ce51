# Segmentation of Cityscapes val, 19 classes, from the *_labelIds.png as released.
_base_ = './coco_stuff_segmentation.py'

classes = [7, 8, 11, 12, 13, 17, 19, 20, 21, 22, 23, 24, 25, 26, 27, 28, 31, 32, 33]
val_dataloader = dict(
    dataset=dict(
        vocabulary='cityscapes_19',
        file_values=classes,
        ignored_values=[0, 1, 2, 3, 4, 5, 6, 9, 10, 14, 15, 16, 18, 29, 30],
        data_root='data/cityscapes/',
        img_suffix='_leftImg8bit.png',
        seg_map_suffix='_gtFine_labelIds.png',
        data_prefix=dict(img_path='leftImg8bit/val', seg_map_path='gtFine/val')))
test_dataloader = val_dataloader
