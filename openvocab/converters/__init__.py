"""The key names of each released family of checkpoints, and ours."""

from . import (
    cat_seg,
    cat_seg_eva,
    clipself,
    declip,
    densevlm,
    eva_clip,
    fvit,
    openai_clip,
    openclip,
    san,
)
from .adapter import ADAPTERS, Adapter, Conversion, Drop, detect, register_adapter
from .key_rule import KeyRule

__all__ = [
    'ADAPTERS',
    'Adapter',
    'Conversion',
    'Drop',
    'KeyRule',
    'cat_seg',
    'cat_seg_eva',
    'clipself',
    'declip',
    'densevlm',
    'detect',
    'eva_clip',
    'fvit',
    'openai_clip',
    'openclip',
    'register_adapter',
    'san',
]
