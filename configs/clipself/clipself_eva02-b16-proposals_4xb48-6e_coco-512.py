# Regions from proposals, their crops enlarged 1.5 times.
_base_ = './clipself_eva02-b16_4xb48-6e_coco-512.py'
train_pipeline = _base_.train_pipeline
train_pipeline[4] = dict(
    type='openvocab.ProposalRegions', max_regions=20, fallback=train_pipeline[4])
train_pipeline[5].scale = 1.5
train_dataloader = dict(
    dataset=dict(proposals_file='proposals/coco_train2017.json', pipeline=train_pipeline))
