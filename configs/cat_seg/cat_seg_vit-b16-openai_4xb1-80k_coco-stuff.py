# CAT-Seg with OpenAI ViT-B/16, trained and validated on COCO-Stuff.
#   bash tools/dist_train.sh configs/cat_seg/cat_seg_vit-b16-openai_4xb1-80k_coco-stuff.py 4
# Published on COCO-Stuff: none; see the leaves of the benchmarks.
_base_ = [
    '../_base_/models/cat_seg.py',
    '../_base_/datasets/coco_stuff_384_segmentation.py',
    '../_base_/schedules/seg_80k.py',
    '../_base_/default_runtime_seg.py',
]
