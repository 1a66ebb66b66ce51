# PC-459 with the spelling of CAT-Seg's published figures.
_base_ = './pc459_segmentation.py'

val_dataloader = dict(dataset=dict(vocabulary='pascal_context_459_glued'))
test_dataloader = val_dataloader
