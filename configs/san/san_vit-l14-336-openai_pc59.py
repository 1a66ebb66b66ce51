# SAN with OpenAI ViT-L/14 at 336 px on PC-59.
#   python tools/test.py configs/san/san_vit-l14-336-openai_pc59.py \
#       work_dirs/san_vit-l14-336-openai_8xb4-60k_coco-stuff/iter_60000.pth
# Published: mIoU 57.5.
_base_ = [
    '../_base_/models/san_l14.py',
    '../_base_/datasets/pc59_segmentation.py',
    '../_base_/default_runtime_seg.py',
]
