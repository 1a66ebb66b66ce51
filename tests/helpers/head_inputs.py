"""Feature maps and text rows for decode heads with taps of 20 channels."""

import torch
import torch.nn.functional as F
from torch import Tensor

D = 24  # width of the joint space


def features(
    batch: int = 1, grid: tuple[int, int] = (8, 8), seed: int = 0
) -> tuple[Tensor, ...]:
    """Two taps (B, 20, h, w) and a dense map (B, D, h, w)."""
    generator = torch.Generator().manual_seed(seed)
    shapes = [(batch, channels, *grid) for channels in (20, 20, D)]
    return tuple(torch.randn(shape, generator=generator) for shape in shapes)


def rows(count: int, prompts: int | None = None, seed: int = 1) -> Tensor:
    """Unit rows (K, D), or (K, P, D) with several prompts."""
    generator = torch.Generator().manual_seed(seed)
    shape = (count, D) if prompts is None else (count, prompts, D)
    return F.normalize(torch.randn(shape, generator=generator), dim=-1)
