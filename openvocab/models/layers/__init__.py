"""Layers of segmentation heads."""

from .class_aggregator import ClassAggregator
from .class_chunks import ClassChunks
from .guided import GuidedConv, GuidedLinear
from .guided_upsampling import GuidedUpsampling, TapGuidance, tap_order
from .spatial_aggregator import GuidedWindowBlock, SpatialAggregator
from .windows import WindowPlan

__all__ = [
    'ClassAggregator',
    'ClassChunks',
    'GuidedConv',
    'GuidedLinear',
    'GuidedUpsampling',
    'GuidedWindowBlock',
    'SpatialAggregator',
    'TapGuidance',
    'WindowPlan',
    'tap_order',
]
