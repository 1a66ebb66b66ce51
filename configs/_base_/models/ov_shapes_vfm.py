# The tiny VFM of OV-Shapes: a ViT with 8 px patches, 96 channels, 4 blocks.
vfm = dict(
    type='openvocab.TimmViT',
    # the name lends the structure and the normalisation, the numbers are ours
    arch='vit_small_patch16_224.dino',
    img_size=128,
    patch_size=8,
    embed_dim=96,
    depth=4,
    num_heads=3,
    checkpoint='openvocab://ov-shapes-vfm')
