"""Losses."""

from .context_distill_loss import ContextDistillLoss
from .correlation_distance import (
    CorrelationDistance,
    RowMeanSquare,
    RowNorm,
    RowSmoothL1,
)
from .cosine_distill_loss import CosineDistillLoss
from .decoupled_align_loss import DecoupledAlignLoss
from .decoupling import DECOUPLINGS, Decoupling
from .mask_set_loss import MaskSetLoss
from .ov_bce_loss import OVBCELoss
from .reductions import GroupSum, RegionMean
from .text_cross_entropy_loss import TextCrossEntropyLoss

__all__ = [
    'ContextDistillLoss',
    'CorrelationDistance',
    'CosineDistillLoss',
    'DECOUPLINGS',
    'DecoupledAlignLoss',
    'Decoupling',
    'GroupSum',
    'MaskSetLoss',
    'OVBCELoss',
    'RegionMean',
    'RowMeanSquare',
    'RowNorm',
    'RowSmoothL1',
    'TextCrossEntropyLoss',
]
