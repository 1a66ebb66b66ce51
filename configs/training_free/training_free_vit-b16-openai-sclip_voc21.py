# SCLIP with OpenAI ViT-B/16: q-q plus k-k attention, residual and FFN kept.
#   python tools/test.py configs/training_free/training_free_vit-b16-openai-sclip_voc21.py
#   python tools/test.py FILE --benchmarks pc60 a150  (or all)
# Published: mIoU 59.1 (VOC21); 38.2 on average over the eight benchmarks.
_base_ = [
    '../_base_/models/training_free_words.py',
    '../_base_/datasets/voc21_native_segmentation.py',
    '../_base_/default_runtime_seg.py',
]
vocabulary = dict(_base_.voc21_people, _delete_=True)
model = dict(
    backbone=dict(readout=dict(type='openvocab.SCLIPReadout')),
    text_bank=dict(vocabulary=vocabulary),
    logit_scale=65,
    prob_thd=0.1,
    area_thd=0.1)
test_dataloader = dict(dataset=dict(vocabulary=vocabulary))
plain = dict(_base_.plain, logit_scale=40)
benchmarks = dict(
    pc60=dict(plain, logit_scale=50, prob_thd=0.1),
    coco_object=dict(
        vocabulary=_base_.coco_object_people, logit_scale=50, area_thd=None),
    pas20=dict(
        vocabulary=_base_.voc20_people, logit_scale=40, prob_thd=None, area_thd=None),
    pc59=plain,
    coco_stuff=dict(plain, inference=dict(canvas=448)),
    a150=plain,
    cityscapes=dict(plain, inference=dict(canvas=560)))
