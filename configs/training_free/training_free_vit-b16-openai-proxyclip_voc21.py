# ProxyCLIP with OpenAI ViT-B/16 and DINO ViT-B/8: values mixed by DINO's similarities.
#   python tools/test.py configs/training_free/training_free_vit-b16-openai-proxyclip_voc21.py
#   python tools/test.py FILE --benchmarks pc60 a150  (or all)
_base_ = [
    '../_base_/models/training_free_words.py',
    '../_base_/datasets/voc21_native_segmentation.py',
    '../_base_/default_runtime_seg.py',
]
model = dict(
    backbone=dict(
        type='openvocab.ProxyCLIP',
        readout=None,  # the preset's
        vfm=dict(
            type='openvocab.DINO',
            arch='vit_base_patch8_224.dino',
            checkpoint='checkpoints/dino_vitbase8_pretrain.pth')),
    inference=dict(crop=336),
    prob_thd=0.2)
vocabulary = dict(_base_.voc21, _delete_=True)
test_dataloader = dict(dataset=dict(vocabulary=vocabulary))
plain = _base_.plain
benchmarks = dict(
    pc60=dict(plain, prob_thd=0.15),
    coco_object=dict(vocabulary=_base_.coco_object, prob_thd=0.25),
    pas20=dict(vocabulary=_base_.voc20, prob_thd=None),
    pc59=plain,
    coco_stuff=plain,
    a150=dict(plain, inference=dict(canvas=448)),
    cityscapes=dict(plain, inference=dict(canvas=448, crop=224)))
