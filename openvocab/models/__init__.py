"""Model components."""

from . import (
    aligners,
    backbones,
    decode_heads,
    dense_heads,
    detectors,
    layers,
    losses,
    necks,
    poolers,
    pretraining,
    recognizers,
    roi_heads,
    segmentors,
    teachers,
    text,
)

__all__ = [
    'aligners',
    'backbones',
    'decode_heads',
    'dense_heads',
    'detectors',
    'layers',
    'losses',
    'necks',
    'poolers',
    'pretraining',
    'recognizers',
    'roi_heads',
    'segmentors',
    'teachers',
    'text',
]
