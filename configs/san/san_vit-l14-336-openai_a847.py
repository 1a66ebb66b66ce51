# SAN with OpenAI ViT-L/14 at 336 px on A-847.
#   python tools/test.py configs/san/san_vit-l14-336-openai_a847.py \
#       work_dirs/san_vit-l14-336-openai_8xb4-60k_coco-stuff/iter_60000.pth
# Published: mIoU 13.0.
_base_ = [
    '../_base_/models/san_l14.py',
    '../_base_/datasets/a847_labels_segmentation.py',
    '../_base_/default_runtime_seg.py',
]
