# LoGoSeg on ConvNeXt-L.
_base_ = './logoseg_convnext.py'

model = dict(
    backbone=dict(
        arch='convnext_large_d_320', checkpoint='laion2b_s29b_b131k_ft_soup'))
