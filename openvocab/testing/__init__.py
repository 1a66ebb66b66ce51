"""Small inputs and configs for tests and README snippets."""

from .configs import without_weights
from .regions import random_region_batch

__all__ = ['random_region_batch', 'without_weights']
