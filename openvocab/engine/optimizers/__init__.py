"""Optimizer construction and mixed precision."""

from .autocast_optim_wrapper import AutocastOptimWrapper
from .trainable_only import TrainableOnlyConstructor

__all__ = ['AutocastOptimWrapper', 'TrainableOnlyConstructor']
