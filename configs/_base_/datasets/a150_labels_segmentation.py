# A-150 with the prompts of SAN's published figures.
_base_ = './a150_segmentation.py'

val_dataloader = dict(dataset=dict(vocabulary='ade20k_150_labels'))
test_dataloader = val_dataloader
