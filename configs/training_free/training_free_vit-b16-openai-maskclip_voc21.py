# MaskCLIP with OpenAI ViT-B/16: every token keeps its own value. Published figures are those
# that DeCLIP's paper cites; windows and thresholds are ClearCLIP's.
#   python tools/test.py configs/training_free/training_free_vit-b16-openai-maskclip_voc21.py
#   python tools/test.py FILE --benchmarks pc60 a150  (or all)
# Published: mIoU 43.4 (VOC21); 30.3 on average over the eight benchmarks.
_base_ = './training_free_vit-b16-openai-clearclip_voc21.py'
model = dict(backbone=dict(readout=dict(type='openvocab.ValueReadout')))
