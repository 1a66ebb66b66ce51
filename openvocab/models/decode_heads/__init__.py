"""Heads of segmentors."""

from .san_head import SANHead
from .side_network import SideNetwork

__all__ = ['SANHead', 'SideNetwork']
