# The same on ADE20K panoptic val. Published: Boxes 33.0, Masks-T 33.9, Masks-S 36.2.
_base_ = [
    '../_base_/models/clip.py',
    '../_base_/datasets/ade20k_regions.py',
    '../_base_/default_runtime.py',
]
model = dict(text_bank=dict(vocabulary='ade20k_150'))
