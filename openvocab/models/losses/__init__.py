"""Losses of the region-language alignment."""

from .cosine_distill_loss import CosineDistillLoss
from .decoupled_align_loss import DecoupledAlignLoss
from .decoupling import DECOUPLINGS, Decoupling
from .reductions import GroupSum, RegionMean

__all__ = [
    'CosineDistillLoss',
    'DECOUPLINGS',
    'DecoupledAlignLoss',
    'Decoupling',
    'GroupSum',
    'RegionMean',
]
