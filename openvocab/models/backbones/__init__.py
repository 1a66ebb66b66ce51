"""Image encoders: CLIP towers that return feature maps in the joint space."""

from .clip_backbone import CLIPBackbone
from .clipself import CLIPSelf
from .dense_attention import DenseReadout, ValueReadout, VanillaReadout
from .densevlm import DenseVLM
from .export import save_encoder

__all__ = [
    'CLIPBackbone',
    'CLIPSelf',
    'DenseReadout',
    'DenseVLM',
    'ValueReadout',
    'VanillaReadout',
    'save_encoder',
]
