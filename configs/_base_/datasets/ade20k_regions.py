# Region recognition on ADE20K panoptic val (100 things + 50 stuff), longest side 512.
_base_ = './coco_regions.py'

data_root = 'data/ADEChallengeData2016/'
val_dataloader = dict(
    dataset=dict(
        data_root=data_root,
        ann_file='ade20k_panoptic_val.json',
        data_prefix=dict(img='images/validation', seg='ade20k_panoptic_val'),
        vocabulary='ade20k_150'))
test_dataloader = val_dataloader
