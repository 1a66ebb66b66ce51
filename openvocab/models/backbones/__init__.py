"""Image encoders: CLIP towers that return feature maps in the joint space."""

from .class_residual import ClassResidualReadout
from .clip_backbone import CLIPBackbone
from .clipself import CLIPSelf
from .declip import DeCLIP
from .dense_attention import DenseReadout, ValueReadout, VanillaReadout
from .densevlm import DenseVLM
from .export import save_encoder
from .gaussian_readout import GaussianReadout
from .gem import GEM
from .gem_readout import GEMReadout
from .method_readouts import ClearCLIPReadout, NACLIPReadout, SCLIPReadout
from .proxy_clip import ProxyCLIP
from .proxy_readout import ProxyReadout
from .self_self_readout import JointSelfReadout, SelfSelfReadout

__all__ = [
    'CLIPBackbone',
    'CLIPSelf',
    'ClassResidualReadout',
    'ClearCLIPReadout',
    'DeCLIP',
    'DenseReadout',
    'DenseVLM',
    'GEM',
    'GEMReadout',
    'GaussianReadout',
    'JointSelfReadout',
    'NACLIPReadout',
    'ProxyCLIP',
    'ProxyReadout',
    'SCLIPReadout',
    'SelfSelfReadout',
    'ValueReadout',
    'VanillaReadout',
    'save_encoder',
]
