"""From dense maps to one embedding per region."""

from .mask_pooler import MaskPooler, segment_map_to_token_masks
from .roi_pooler import RoIPooler

__all__ = ['MaskPooler', 'RoIPooler', 'segment_map_to_token_masks']
