# OpenAI R50x4 as released.
encoder = dict(arch='RN50x4-quickgelu', checkpoint='openai')
