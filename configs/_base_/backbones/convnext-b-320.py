# OpenCLIP ConvNeXt-B (LAION-Aesthetic, 320 px) as released.
encoder = dict(arch='convnext_base_w_320', checkpoint='laion_aesthetic_s13b_b82k')
