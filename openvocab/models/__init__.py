"""Model components."""

from . import aligners, losses, poolers, recognizers, teachers

__all__ = ['aligners', 'losses', 'poolers', 'recognizers', 'teachers']
