"""Image encoders: CLIP towers that return feature maps in the joint space."""

from .class_residual import ClassResidualReadout
from .clip_backbone import CLIPBackbone
from .clipself import CLIPSelf
from .declip import DeCLIP
from .dense_attention import DenseReadout, ValueReadout, VanillaReadout
from .densevlm import DenseVLM
from .export import save_encoder
from .self_self_readout import SelfSelfReadout

__all__ = [
    'CLIPBackbone',
    'CLIPSelf',
    'ClassResidualReadout',
    'DeCLIP',
    'DenseReadout',
    'DenseVLM',
    'SelfSelfReadout',
    'ValueReadout',
    'VanillaReadout',
    'save_encoder',
]
