# A-150 with the prompts of CAT-Seg's published figures.
_base_ = './a150_segmentation.py'

val_dataloader = dict(dataset=dict(vocabulary='ade20k_150_mmseg'))
test_dataloader = val_dataloader
