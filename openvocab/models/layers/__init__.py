"""Layers of segmentation heads."""

from .class_aggregator import ClassAggregator
from .class_chunks import ClassChunks
from .guided import GuidedConv, GuidedLinear
from .guided_upsampling import GuidedUpsampling, TapGuidance, tap_order
from .linear_recurrence import linear_recurrence
from .object_prior import ObjectPrior
from .region_alignment import RegionAlignment
from .region_grid import RegionGrid
from .spatial_aggregator import GuidedWindowBlock, SpatialAggregator
from .ss2d import SS2D
from .windows import WindowPlan

__all__ = [
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
