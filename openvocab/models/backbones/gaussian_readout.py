"""A readout in which tokens also attend to their neighbours."""

from collections.abc import Sequence
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor

from openvocab.registry import MODELS

from .dense_attention import Comparison, LastBlock
from .self_self_readout import SelfSelfReadout


@MODELS.register_module()
class GaussianReadout(SelfSelfReadout):
    """Self-self attention towards near tokens: ``sum_p softmax(p p^T s + G) v``.

    ``G[i, j] = exp(-|x_i - x_j|^2 / (2 std^2))`` between patch tokens at x_i and x_j,
    in tokens; 0 to and from the class token.

    Args:
        projections: Which of q, k, v are compared with themselves.
        std: Width of the neighbourhood, in tokens.
        **kwargs: The other arguments of :class:`SelfSelfReadout`.

    Source: Hajimiri et al., "Pay Attention to Your Neighbours: Training-Free
    Open-Vocabulary Semantic Segmentation" (NACLIP), WACV 2025, and public code, whose
    readout the defaults are.
    """

    def __init__(
        self, projections: Sequence[str] = ('k',), std: float = 5.0, **kwargs: Any
    ) -> None:
        super().__init__(projections, **kwargs)
        if std <= 0:
            raise ValueError(f'std={std} of a neighbourhood must be positive')
        self.std = std

    def comparisons(self, block: LastBlock, tokens: Tensor) -> list[Comparison]:
        """Every projection with itself, nearer tokens preferred."""
        near = neighbourhood(block.grid, self.std, tokens.device)
        prefix = block.num_prefix_tokens
        bias = F.pad(near, (prefix, 0, prefix, 0))
        plain = super().comparisons(block, tokens)
        return [each._replace(bias=bias) for each in plain]

    def record(self) -> dict[str, Any]:
        """Describe the readout, JSON-serialisable; equal records mean equal maps."""
        return dict(super().record(), type=GaussianReadout.__name__, std=self.std)


def neighbourhood(grid: tuple[int, int], std: float, device: torch.device) -> Tensor:
    """Gaussians of the distance between all places of a grid.

    Args:
        grid: Rows and columns.
        std: Width in places.
        device: Where the result is wanted.

    Returns:
        (h * w, h * w) float32, 1 on the diagonal.
    """
    axes = []
    for side in grid:
        place = torch.arange(side, device=device, dtype=torch.float32)
        axes.append(torch.exp(-((place - place[:, None]) ** 2) / (2 * std**2)))
    return torch.kron(*axes)
