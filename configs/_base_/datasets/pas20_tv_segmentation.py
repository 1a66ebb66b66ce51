# PAS-20 with the prompts of SAN's published figures.
_base_ = './pas20_segmentation.py'

val_dataloader = dict(dataset=dict(vocabulary='pascal_voc_20_tv'))
test_dataloader = val_dataloader
