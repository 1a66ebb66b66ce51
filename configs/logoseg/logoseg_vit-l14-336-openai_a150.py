# LoGoSeg with OpenAI ViT-L/14@336 on A-150.
#   python tools/test.py configs/logoseg/logoseg_vit-l14-336-openai_a150.py \
#       work_dirs/logoseg_vit-l14-336-openai_4xb1-80k_coco-stuff/iter_80000.pth
# Published: mIoU 38.2.
_base_ = [
    '../_base_/models/logoseg_l14.py',
    '../_base_/datasets/a150_mmseg_segmentation.py',
    '../_base_/default_runtime_seg.py',
]
