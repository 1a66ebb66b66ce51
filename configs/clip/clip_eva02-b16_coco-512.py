# Plain EVA02-CLIP-B/16, or any encoder given with
#   --cfg-options model.backbone.init_cfg.type=Pretrained \
#       model.backbone.init_cfg.checkpoint=work_dirs/NAME/encoder.safetensors
#   python tools/test.py configs/clip/clip_eva02-b16_coco-512.py
# Published: Boxes 44.3, Masks-T 44.7, Masks-S 26.2 (top-1).
_base_ = [
    '../_base_/models/clip.py',
    '../_base_/datasets/coco_regions.py',
    '../_base_/default_runtime.py',
]
