"""Model components."""

from . import aligners, backbones, losses, poolers, recognizers, teachers

__all__ = ['aligners', 'backbones', 'losses', 'poolers', 'recognizers', 'teachers']
