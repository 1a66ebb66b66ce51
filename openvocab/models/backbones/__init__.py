"""Image encoders: CLIP towers that return feature maps in the joint space."""

from .clip_backbone import CLIPBackbone
from .dense_attention import DenseReadout, ValueReadout, VanillaReadout

__all__ = ['CLIPBackbone', 'DenseReadout', 'ValueReadout', 'VanillaReadout']
