# SAN with OpenAI ViT-B/16, trained and validated on COCO-Stuff (171 classes).
#   bash tools/dist_train.sh configs/san/san_vit-b16-openai_8xb4-60k_coco-stuff.py 8
# Published: mIoU 41.9 (released log); 0.45 s per step, 6.6 GB per GPU.
_base_ = [
    '../_base_/models/san.py',
    '../_base_/datasets/coco_stuff_640_segmentation.py',
    '../_base_/schedules/seg_60k.py',
    '../_base_/default_runtime_seg.py',
]
