# Training on COCO-Stuff at 640 px and many scales, as SAN does (32 images in all).
_base_ = './coco_stuff_384_segmentation.py'

crop_size = (640, 640)
train_pipeline = _base_.train_pipeline
train_pipeline[3] = dict(
    type='RandomChoiceResize',
    scales=[64 * x for x in range(5, 16)],  # short side 320, 384, ..., 960
    resize_type='ResizeShortestEdge',
    max_size=2560,
    _scope_='mmseg')
train_pipeline[4].crop_size = crop_size
train_dataloader = dict(batch_size=4, dataset=dict(pipeline=train_pipeline))
