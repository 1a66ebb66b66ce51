"""What training and testing need beyond mmengine: hooks, optimisation, launch."""

from .hooks import (
    AtomicCheckpointHook,
    EpochSeedHook,
    ExportEncoderHook,
    ReportHook,
)
from .optimizers import AutocastOptimWrapper, TrainableOnlyConstructor

__all__ = [
    'AtomicCheckpointHook',
    'AutocastOptimWrapper',
    'EpochSeedHook',
    'ExportEncoderHook',
    'ReportHook',
    'TrainableOnlyConstructor',
]
