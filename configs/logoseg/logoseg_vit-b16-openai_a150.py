# LoGoSeg with OpenAI ViT-B/16 on A-150.
#   python tools/test.py configs/logoseg/logoseg_vit-b16-openai_a150.py \
#       work_dirs/logoseg_vit-b16-openai_4xb1-80k_coco-stuff/iter_80000.pth
# Published: mIoU 32.6.
_base_ = [
    '../_base_/models/logoseg.py',
    '../_base_/datasets/a150_mmseg_segmentation.py',
    '../_base_/default_runtime_seg.py',
]
