"""Cutting maps of any size into attention windows, shifted or not.

Shape legend: M maps, h x w tokens, W windows of L tokens, C channels.
"""

from functools import lru_cache

import torch
import torch.nn.functional as F
from einops import rearrange
from torch import Tensor

_PADDING = -1


class WindowPlan:
    """How maps of one size are cut.

    A window is never larger than the map. Maps whose sides are no multiples of it are
    padded at the bottom and the right; a shifted cut wraps around. Tokens attend only
    to tokens that are their neighbours in the map itself: neither to padding nor, in a
    window that wraps around, to the other border.

    Args:
        grid: h and w.
        window: Side of a window in tokens, or its height and width.
        shifted: Move the cut by half a window, along every side that has more than one.
    """

    def __init__(
        self, grid: tuple[int, int], window: int | tuple[int, int], shifted: bool
    ) -> None:
        self.grid = grid
        sides = (window, window) if isinstance(window, int) else window
        self.window = tuple(
            min(own, side) for own, side in zip(sides, grid, strict=True)
        )
        self.count = tuple(
            -(-side // own) for side, own in zip(grid, self.window, strict=True)
        )
        self.shift = tuple(
            own // 2 if shifted and count > 1 else 0
            for own, count in zip(self.window, self.count, strict=True)
        )
        self.padding = tuple(
            own * count - side
            for own, count, side in zip(self.window, self.count, grid, strict=True)
        )

    def cut(self, maps: Tensor) -> Tensor:
        """Cut into windows, (M, h, w, C) to (M, W, L, C)."""
        if any(self.padding):
            maps = F.pad(maps, (0, 0, 0, self.padding[1], 0, self.padding[0]))
        if any(self.shift):
            maps = maps.roll([-shift for shift in self.shift], dims=(1, 2))
        rows, columns = self.count
        return rearrange(maps, 'm (i a) (j b) c -> m (i j) (a b) c', i=rows, j=columns)

    def join(self, windows: Tensor) -> Tensor:
        """Undo :meth:`cut`, (M, W, L, C) to (M, h, w, C)."""
        maps = rearrange(
            windows,
            'm (i j) (a b) c -> m (i a) (j b) c',
            i=self.count[0],
            a=self.window[0],
        )
        if any(self.shift):
            maps = maps.roll(self.shift, dims=(1, 2))
        return maps[:, : self.grid[0], : self.grid[1]]

    def mask(self, device: torch.device) -> Tensor | None:
        """Who may attend to whom, (W, L, L) bool; None where everybody may."""
        if not any(self.shift) and not any(self.padding):
            return None
        # Out of inference mode: a training step may use the same mask later.
        with torch.inference_mode(False):
            return _mask(self.grid, self.window, self.shift, self.padding, device)


@lru_cache(maxsize=32)
def _mask(
    grid: tuple[int, int],
    window: tuple[int, int],
    shift: tuple[int, int],
    padding: tuple[int, int],
    device: torch.device,
) -> Tensor:
    # In the rolled map, what came around from the other border is a region of its own.
    sides = []
    for side, moved, padded in zip(grid, shift, padding, strict=True):
        region = torch.zeros(side + padded, dtype=torch.long)
        region[:moved] = 1
        region[side:] = _PADDING
        region = region.roll(-moved)
        sides.append(region)
    rows, columns = sides
    regions = rows[:, None] * 2 + columns[None]
    outside = (rows[:, None] == _PADDING) | (columns[None] == _PADDING)
    regions[outside] = _PADDING
    regions = rearrange(regions, '(i a) (j b) -> (i j) (a b)', a=window[0], b=window[1])
    # Padding sees padding, so that no row of the softmax is empty.
    return (regions[:, :, None] == regions[:, None]).to(device)
