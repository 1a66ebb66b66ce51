"""Optimizer construction and mixed precision."""

from .autocast_optim_wrapper import AutocastOptimWrapper
from .muon import JointOptimizer, MuonConstructor
from .trainable_only import TrainableOnlyConstructor

__all__ = [
    'AutocastOptimWrapper',
    'JointOptimizer',
    'MuonConstructor',
    'TrainableOnlyConstructor',
]
