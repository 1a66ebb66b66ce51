# OpenAI ViT-B/16 as released.
encoder = dict(arch='ViT-B-16-quickgelu', checkpoint='openai')
