"""Heads of segmentors."""

from .cat_seg_head import CATSegHead
from .cosine_head import CosineHead
from .latent_logoseg_head import LatentLoGoSegHead
from .logoseg_head import LoGoSegHead
from .san_head import SANHead
from .side_network import SideNetwork

__all__ = [
    'CATSegHead',
    'CosineHead',
    'LatentLoGoSegHead',
    'LoGoSegHead',
    'SANHead',
    'SideNetwork',
]
