# OpenCLIP ViT-B/16 (LAION-2B) as released.
encoder = dict(arch='ViT-B-16', checkpoint='laion2b_s34b_b88k')
