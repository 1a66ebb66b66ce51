# EVA02-CLIP-B/16 refined by DeCLIP: CSA at scale 1/8, as its segmentation branch reads it.
#   python tools/test.py configs/training_free/training_free_eva02-b16-declip_voc21.py
#   python tools/test.py FILE --benchmarks pc60 a150  (or all)
# Published: mIoU 59.7 (VOC21); 41.9 on average over the eight benchmarks.
_base_ = [
    '../_base_/models/training_free_words.py',
    '../_base_/datasets/voc21_native_segmentation.py',
    '../_base_/default_runtime_seg.py',
]
model = dict(
    backbone=dict(
        type='openvocab.DeCLIP',
        arch='EVA02-B-16',
        checkpoint='checkpoints/EVA02_CLIP_B_psz16_s8B.pt',
        readout=dict(type='openvocab.SelfSelfReadout'),
        init_cfg=dict(
            type='Pretrained',
            checkpoint='checkpoints/evab_dinov2B_csa_560_0.25_seg.pt')),
    inference=dict(canvas=448, crop=336),
    logit_scale=80,
    prob_thd=0.4)
vocabulary = dict(_base_.voc21, _delete_=True)
test_dataloader = dict(dataset=dict(vocabulary=vocabulary))
plain = dict(_base_.plain, logit_scale=40)
benchmarks = dict(
    pc60=dict(plain, prob_thd=0.15),
    coco_object=dict(vocabulary=_base_.coco_object, logit_scale=40, prob_thd=0.2),
    pas20=dict(vocabulary=_base_.voc20, logit_scale=40, prob_thd=None),
    pc59=plain, coco_stuff=plain, a150=plain,
    cityscapes=dict(plain, inference=dict(canvas=560)))
