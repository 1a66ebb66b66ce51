# OpenCLIP ConvNeXt-B (LAION-2B, 256 px) as released.
encoder = dict(arch='convnext_base_w', checkpoint='laion2b_s13b_b82k_augreg')
