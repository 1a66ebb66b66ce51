# GEM with OpenAI ViT-B/16: q, k and v, clustered by themselves, in the last six blocks.
# Published figures are those of ClearCLIP's paper, as are windows and thresholds.
#   python tools/test.py configs/training_free/training_free_vit-b16-openai-gem_voc21.py
#   python tools/test.py FILE --benchmarks pas20 a150  (or all)
# Published: mIoU 79.9 (VOC20), 35.9 (Context59), 23.7 (COCO-Stuff).
_base_ = './training_free_vit-b16-openai-clearclip_voc21.py'
model = dict(backbone=dict(type='openvocab.GEM', readout=None))
