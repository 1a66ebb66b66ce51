"""Model components."""

from . import (
    aligners,
    backbones,
    losses,
    poolers,
    pretraining,
    recognizers,
    teachers,
    text,
)

__all__ = [
    'aligners',
    'backbones',
    'losses',
    'poolers',
    'pretraining',
    'recognizers',
    'teachers',
    'text',
]
