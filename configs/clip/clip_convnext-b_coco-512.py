# ConvNeXt-B. Published: Boxes 57.5, Masks-T 48.0, Masks-S 31.1.
_base_ = './clip_eva02-b16_coco-512.py'
model = dict(
    backbone=dict(arch='convnext_base_w', checkpoint='laion2b_s13b_b82k_augreg'))
