# A-847 with the prompts of SAN's published figures.
_base_ = './a847_segmentation.py'

val_dataloader = dict(dataset=dict(vocabulary='ade20k_847_labels'))
test_dataloader = val_dataloader
