# SAN with OpenAI ViT-B/16 on A-150.
#   python tools/test.py configs/san/san_vit-b16-openai_a150.py \
#       work_dirs/san_vit-b16-openai_8xb4-60k_coco-stuff/iter_60000.pth
# Published: mIoU 27.6.
_base_ = [
    '../_base_/models/san.py',
    '../_base_/datasets/a150_labels_segmentation.py',
    '../_base_/default_runtime_seg.py',
]
