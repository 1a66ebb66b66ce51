# ClearCLIP with OpenAI ViT-B/16: q-q attention, neither residual nor FFN.
#   python tools/test.py configs/training_free/training_free_vit-b16-openai-clearclip_voc21.py
#   python tools/test.py FILE --benchmarks pc60 a150  (or all)
# Published: mIoU 51.8 (VOC21); 38.1 on average over the eight benchmarks.
_base_ = [
    '../_base_/models/training_free.py',
    '../_base_/datasets/voc21_native_segmentation.py',
    '../_base_/default_runtime_seg.py',
]
model = dict(prob_thd=0.5)
plain = dict(prob_thd=None)
benchmarks = dict(
    pc60=dict(prob_thd=0.15),
    coco_object=dict(prob_thd=0.4),
    pas20=plain,
    pc59=plain,
    coco_stuff=plain,
    a150=plain,
    cityscapes=dict(plain, inference=dict(crop=224)))
