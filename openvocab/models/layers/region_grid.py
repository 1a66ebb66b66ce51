"""Cutting a map of any size into r x r regions.

Shape legend: B images, h x w tokens, R = r * r regions, C channels.
"""

from functools import lru_cache

import torch
from einops import rearrange
from torch import Tensor


class RegionGrid:
    """Regions that do not overlap and leave nothing out.

    The i-th of r rows of regions begins at token row floor(i h / r), the columns
    likewise: where r does not divide a side, regions differ by one row or column. A
    side of fewer than r tokens has as many regions as tokens.

    Args:
        grid: h and w.
        regions: r.

    Attributes:
        count: R.

    Source: LoGoSeg (AAAI 2026), section 2.2, "non-overlapping regions"; where the
    boundaries fall is our decision.
    """

    def __init__(self, grid: tuple[int, int], regions: int) -> None:
        self.grid = grid
        self.sides = tuple(min(regions, side) for side in grid)
        self.count = self.sides[0] * self.sides[1]

    def members(self, device: torch.device) -> Tensor:
        """Which token lies in which region, (R, h * w) bool."""
        # Out of inference mode: a training step may use the same table later.
        with torch.inference_mode(False):
            return _members(self.grid, self.sides, device)

    def mean(self, tokens: Tensor) -> Tensor:
        """Average within regions, (B, h * w, C) to (B, R, C)."""
        members = self.members(tokens.device).to(tokens.dtype)
        return (members / members.sum(dim=1, keepdim=True)) @ tokens

    def softmax(self, logits: Tensor) -> Tensor:
        """Softmax within regions, (B, h * w) to (B, R, h * w), zero outside."""
        outside = ~self.members(logits.device)
        return logits[:, None].masked_fill(outside, -torch.inf).softmax(dim=-1)

    def spread(self, vectors: Tensor) -> Tensor:
        """Give every token its region's vector, (B, R, C) to (B, h, w, C)."""
        owner = self.members(vectors.device).int().argmax(dim=0)
        return rearrange(vectors[:, owner], 'b (h w) c -> b h w c', h=self.grid[0])


@lru_cache(maxsize=32)
def _members(
    grid: tuple[int, int], sides: tuple[int, int], device: torch.device
) -> Tensor:
    rows, columns = (
        _owner(side, parts) for side, parts in zip(grid, sides, strict=True)
    )
    owner = (rows[:, None] * sides[1] + columns[None]).flatten()
    return (torch.arange(sides[0] * sides[1])[:, None] == owner[None]).to(device)


def _owner(side: int, parts: int) -> Tensor:
    """The part of every position of a side, whose i-th begins at floor(i side / r)."""
    starts = torch.arange(parts) * side // parts
    return torch.bucketize(torch.arange(side), starts, right=True) - 1
