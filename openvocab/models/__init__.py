"""Model components."""

from . import aligners, backbones, losses, poolers, recognizers, teachers, text

__all__ = [
    'aligners',
    'backbones',
    'losses',
    'poolers',
    'recognizers',
    'teachers',
    'text',
]
