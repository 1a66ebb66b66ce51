# LoGoSeg with OpenAI ViT-B/16, trained and validated on PC-59 (Table 5).
#   bash tools/dist_train.sh configs/logoseg/logoseg_vit-b16-openai_4xb1-80k_pc59.py 4
# Published: mIoU 63.6. On other sets: the leaves logoseg_vit-b16-openai_*.py
# with work_dirs/logoseg_vit-b16-openai_4xb1-80k_pc59/iter_80000.pth.
_base_ = [
    '../_base_/models/logoseg.py',
    '../_base_/datasets/pc59_384_segmentation.py',
    '../_base_/schedules/logoseg_80k.py',
    '../_base_/default_runtime_seg.py',
]
