"""Mixing the channels of a map between two 1 x 1 convolutions.

Shape legend: B images, h x w tokens, C channels.
"""

import torch.nn.functional as F
from einops import rearrange
from torch import Tensor, nn


class GatedLinear(nn.Module):
    """Gated linear unit: half of the channels gate the other half.

    Args:
        dim: C.
        ratio: Width of a half, in multiples of C.

    Source: Dauphin et al., "Language Modeling with Gated Convolutional Networks", 2017.
    """

    def __init__(self, dim: int, ratio: float = 2.0) -> None:
        super().__init__()
        width = int(dim * ratio)
        self.widen = nn.Linear(dim, 2 * width)
        self.narrow = nn.Linear(width, dim)

    def forward(self, x: Tensor) -> Tensor:
        """Apply the unit, (.., C) to the same."""
        return self.narrow(F.glu(self.widen(x), dim=-1))


class DepthwiseConv(nn.Conv2d):
    """3 x 3 depth-wise convolution of maps with channels last."""

    def __init__(self, dim: int) -> None:
        super().__init__(dim, dim, 3, padding=1, groups=dim)

    def forward(self, x: Tensor) -> Tensor:
        """Convolve, (B, h, w, C) to the same."""
        x = super().forward(rearrange(x, 'b h w c -> b c h w'))
        return rearrange(x, 'b c h w -> b h w c')


class ChannelAdaptation(nn.Module):
    """1 x 1 and depth-wise convolution, gated linear unit, 1 x 1 convolution.

    The paper's: these four in this order, each followed by a residual connection and
    layer normalisation. Ours: ``x = LN(x + f(x))`` for each, all of equal width.

    Args:
        dim: C.
        ratio: Of the :class:`GatedLinear`.

    Source: LoGoSeg (AAAI 2026), section 2.3, after Eq. (9).
    """

    def __init__(self, dim: int, ratio: float = 2.0) -> None:
        super().__init__()
        self.steps = nn.ModuleList(
            [
                nn.Linear(dim, dim),
                DepthwiseConv(dim),
                GatedLinear(dim, ratio),
                nn.Linear(dim, dim),
            ]
        )
        self.norms = nn.ModuleList(nn.LayerNorm(dim) for _ in self.steps)

    def forward(self, x: Tensor) -> Tensor:
        """Adapt, (B, h, w, C) to the same."""
        for step, norm in zip(self.steps, self.norms, strict=True):
            x = norm(x + step(x))
        return x
