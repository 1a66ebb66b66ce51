# NACLIP with OpenAI ViT-B/16: k-k attention that prefers near tokens. On VOC an image is one
# window. The published figures are with PAMR, which refines label maps; it is not here.
#   python tools/test.py configs/training_free/training_free_vit-b16-openai-naclip_voc21.py
#   python tools/test.py FILE --benchmarks pc60 a150  (or all)
# Published: mIoU 64.07 (VOC21); 42.46 on average over the eight benchmarks.
_base_ = './training_free_vit-b16-openai-sclip_voc21.py'
model = dict(
    backbone=dict(readout=dict(type='openvocab.NACLIPReadout')),
    inference=dict(crop=2048, stride=2048),
    logit_scale=40,
    area_thd=None)
windows = dict(crop=224, stride=112)
benchmarks = dict(
    pc60=dict(logit_scale=40, inference=windows),
    coco_object=dict(logit_scale=40, inference=windows),
    pc59=dict(inference=windows),
    coco_stuff=dict(inference=windows),
    a150=dict(inference=windows),
    cityscapes=dict(inference=windows))
