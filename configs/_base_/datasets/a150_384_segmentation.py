# Training on ADE20K (150 classes) at 384 px, and testing on it, with CAT-Seg's prompts.
_base_ = './coco_stuff_384_segmentation.py'

dataset = dict(
    vocabulary='ade20k_150_mmseg',
    reduce_zero_label=True,
    data_root='data/ADEChallengeData2016/')
train_dataloader = dict(
    dataset=dict(
        data_prefix=dict(
            img_path='images/training', seg_map_path='annotations/training'),
        **dataset))
val_dataloader = dict(
    dataset=dict(
        data_prefix=dict(
            img_path='images/validation', seg_map_path='annotations/validation'),
        **dataset))
test_dataloader = val_dataloader
val_evaluator = dict(train_vocabulary='ade20k_150')
test_evaluator = val_evaluator
