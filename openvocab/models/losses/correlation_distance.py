"""How far one row of a correlation matrix is from another.

Shapes: B images, R rows, N columns. A column that does not count is 0 in ``gap``.
"""

from typing import Protocol

import torch
from torch import Tensor
from torch.nn import functional as F

from openvocab.registry import TASK_UTILS


class CorrelationDistance(Protocol):
    """Strategy: one number per row."""

    def __call__(self, gap: Tensor, columns: Tensor) -> Tensor:
        """Measures rows.

        Args:
            gap: (B, R, N) difference of two correlation matrices.
            columns: (B, 1) float, columns that count.

        Returns:
            (B, R), not negative.
        """


@TASK_UTILS.register_module()
class RowNorm:
    """Euclidean length of the row, not squared: the published form.

    It grows with the square root of the number of tokens, so a weight that was found
    for 1,225 tokens acts 1.8 times as strongly at 4,096.

    Source: DeCLIP, eq. 9, which leaves open what the norm runs over; the public code
    takes it over the row.
    """

    def __call__(self, gap: Tensor, columns: Tensor) -> Tensor:
        """Measures rows, (B, R, N) to (B, R)."""
        return torch.linalg.vector_norm(gap, dim=-1)


@TASK_UTILS.register_module()
class RowMeanSquare:
    """Mean of the squared differences: does not depend on the number of tokens."""

    def __call__(self, gap: Tensor, columns: Tensor) -> Tensor:
        """Measures rows, (B, R, N) to (B, R)."""
        return gap.square().sum(-1) / columns


@TASK_UTILS.register_module()
class RowSmoothL1:
    """Mean of the smooth L1 distances: large differences weigh less than in a square.

    Args:
        beta: Difference from which on the distance grows linearly.

    Raises:
        ValueError: If ``beta`` is not positive.
    """

    def __init__(self, beta: float = 0.1) -> None:
        if beta <= 0:
            raise ValueError(f'RowSmoothL1: beta must be positive, got {beta}')
        self.beta = beta

    def __call__(self, gap: Tensor, columns: Tensor) -> Tensor:
        """Measures rows, (B, R, N) to (B, R)."""
        zero = torch.zeros_like(gap)
        distance = F.smooth_l1_loss(gap, zero, reduction='none', beta=self.beta)
        return distance.sum(-1) / columns
