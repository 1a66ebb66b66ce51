# Segmentation of ADE20K val, 150 classes; label files as released (0 is ignored).
_base_ = './coco_stuff_segmentation.py'

val_dataloader = dict(
    dataset=dict(
        vocabulary='ade20k_150',
        reduce_zero_label=True,
        data_root='data/ADEChallengeData2016/',
        data_prefix=dict(
            img_path='images/validation',
            seg_map_path='annotations/validation')))
test_dataloader = val_dataloader
