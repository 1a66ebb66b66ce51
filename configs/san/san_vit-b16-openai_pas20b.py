# SAN with OpenAI ViT-B/16 on PAS-20b.
#   python tools/test.py configs/san/san_vit-b16-openai_pas20b.py \
#       work_dirs/san_vit-b16-openai_8xb4-60k_coco-stuff/iter_60000.pth
# Published: none.
_base_ = [
    '../_base_/models/san.py',
    '../_base_/datasets/pas20b_segmentation.py',
    '../_base_/default_runtime_seg.py',
]
