"""Checkpoint files: reading them safely, and the key names of each released family."""

from . import clipself, declip, densevlm, eva_clip, openai_clip, openclip
from .adapter import ADAPTERS, Adapter, Conversion, Drop, detect, register_adapter
from .checkpoint_file import CheckpointError
from .key_rule import KeyRule

__all__ = [
    'ADAPTERS',
    'Adapter',
    'CheckpointError',
    'Conversion',
    'Drop',
    'KeyRule',
    'clipself',
    'declip',
    'densevlm',
    'detect',
    'eva_clip',
    'openai_clip',
    'openclip',
    'register_adapter',
]
