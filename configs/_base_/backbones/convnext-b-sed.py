# OpenCLIP ConvNeXt-B (LAION-Aesthetic, 320 px), trained as in SED: the whole image tower.
encoder = dict(
    arch='convnext_base_w_320',
    checkpoint='laion_aesthetic_s13b_b82k',
    readout=dict(_delete_=True, type='openvocab.ValueReadout'),
    # strides 8 and 16
    out_indices=(1, 2),
    trainable=dict(_delete_=True, type='openvocab.WholeTower'))
