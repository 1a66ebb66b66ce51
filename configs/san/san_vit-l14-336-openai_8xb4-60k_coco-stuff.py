# SAN with OpenAI ViT-L/14 at 336 px, trained and validated on COCO-Stuff (171 classes).
#   bash tools/dist_train.sh configs/san/san_vit-l14-336-openai_8xb4-60k_coco-stuff.py 8
# Published: mIoU 45.6 (released log); 0.60 s per step, 23.5 GB per GPU.
_base_ = [
    '../_base_/models/san_l14.py',
    '../_base_/datasets/coco_stuff_640_segmentation.py',
    '../_base_/schedules/seg_60k.py',
    '../_base_/default_runtime_seg.py',
]
