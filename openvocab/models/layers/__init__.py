"""Layers of segmentation heads."""

from .channel_adaptation import ChannelAdaptation
from .class_aggregator import ClassAggregator
from .class_chunks import ClassChunks
from .contextual_fusion import ContextualFusion
from .directional_attention import DirectionalAttention
from .guided import GuidedConv, GuidedLinear
from .guided_upsampling import GuidedUpsampling, TapGuidance, tap_order
from .language_queries import LanguageQueries
from .linear_recurrence import linear_recurrence
from .object_prior import ObjectPrior
from .region_alignment import RegionAlignment
from .region_grid import RegionGrid
from .spatial_aggregator import GuidedWindowBlock, SpatialAggregator
from .ss2d import SS2D
from .windows import WindowPlan

__all__ = [
    'ChannelAdaptation',
    'ContextualFusion',
    'DirectionalAttention',
    'LanguageQueries',
    'ObjectPrior',
    'RegionAlignment',
    'RegionGrid',
    'SS2D',
    'ClassAggregator',
    'ClassChunks',
    'GuidedConv',
    'GuidedLinear',
    'GuidedUpsampling',
    'GuidedWindowBlock',
    'SpatialAggregator',
    'TapGuidance',
    'WindowPlan',
    'linear_recurrence',
    'tap_order',
]
