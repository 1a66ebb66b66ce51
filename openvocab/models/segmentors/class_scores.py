"""Scores of many classes over one image, never all of them at full size.

847 classes at 512 x 683 pixels are 1.2 GB in float32, and resizing, activating and
averaging them takes several such tensors. Here the logits stay at the head's resolution
and the scores of a few classes at a time are written out at full size; a running
maximum keeps what the label map needs.

Shapes: K classes, h x w the head's resolution, H x W the size wanted.
"""

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor

Activation = Callable[[Tensor], Tensor]

# Scores of this many pixels times classes exist at once: 64 MB in float32.
TILE = 2**24


class LabelMap(NamedTuple):
    """The best class of every pixel."""

    labels: Tensor
    """(H, W) int64."""
    scores: Tensor
    """(H, W) float32, the score of that class."""


class ClassScores(ABC):
    """Scores of one image, for the classes that are asked for.

    Attributes:
        num_classes: K.
        canvas: Height and width of the largest map that is computed on the way.
    """

    num_classes: int
    canvas: tuple[int, int]

    @abstractmethod
    def at(self, classes: slice, size: tuple[int, int]) -> Tensor:
        """Scores of some classes.

        Args:
            classes: Which ones.
            size: H and W.

        Returns:
            (number of classes, H, W) float32.
        """

    def label_map(self, size: tuple[int, int], tile: int = TILE) -> LabelMap:
        """Best class of every pixel; the first one where several are equal.

        Args:
            size: H and W.
            tile: Number of scores at full size that may exist at a time; the result
                does not depend on it.
        """
        first, *others = self.tiles(size, tile)
        best, labels = self.at(first, size).max(dim=0)
        for classes in others:
            values, indices = self.at(classes, size).max(dim=0)
            better = values > best
            labels = torch.where(better, indices + classes.start, labels)
            best = torch.where(better, values, best)
        return LabelMap(labels, best)

    def tiles(self, size: tuple[int, int], tile: int = TILE) -> Iterator[slice]:
        """Ranges of classes, in order, whose scores may exist at a time.

        Args:
            size: H and W.
            tile: Number of scores at full size; at least one class is in a range.
        """
        area = max(size[0] * size[1], self.canvas[0] * self.canvas[1])
        step = max(1, tile // area)
        for start in range(0, self.num_classes, step):
            yield slice(start, start + step)


class WholeScores(ClassScores):
    """One map of logits over the whole image: activated, then resized.

    Args:
        logits: (K, h, w).
        activate: Elementwise function from logits to scores.
    """

    def __init__(self, logits: Tensor, activate: Activation) -> None:
        self.logits = logits
        self.activate = activate
        self.num_classes = len(logits)
        self.canvas = tuple(logits.shape[-2:])

    def at(self, classes: slice, size: tuple[int, int]) -> Tensor:
        """Scores of some classes."""
        return resize(self.activate(self.logits[classes].float()), size)


@dataclass(frozen=True)
class Window:
    """Part of a canvas, in its pixels."""

    top: int
    left: int
    height: int
    width: int


class WindowScores(ClassScores):
    """Overlapping windows averaged on a canvas, mixed with a view of the whole.

    Logits are resized to the pixels of their view, activated, and only then averaged.

    Args:
        logits: One (K, h, w) per window.
        windows: Where they lie; together they cover the canvas.
        canvas: Its height and width.
        activate: Elementwise function from logits to scores.
        whole: (K, h, w) logits of the whole canvas, or None.
        whole_size: Height and width of the view that they were computed from.
        whole_weight: Share of the whole in the scores, 0 to 1.
    """

    def __init__(
        self,
        logits: Sequence[Tensor],
        windows: Sequence[Window],
        canvas: tuple[int, int],
        activate: Activation,
        whole: Tensor | None = None,
        whole_size: tuple[int, int] | None = None,
        whole_weight: float = 0.5,
    ) -> None:
        self.logits = logits
        self.windows = windows
        self.canvas = canvas
        self.activate = activate
        self.whole = whole
        self.whole_size = whole_size
        self.whole_weight = whole_weight
        self.num_classes = len(logits[0])
        self._count = logits[0].new_zeros(canvas, dtype=torch.float32)
        for window in windows:
            _part(self._count, window).add_(1)

    def at(self, classes: slice, size: tuple[int, int]) -> Tensor:
        """Scores of some classes."""
        total = None
        for logits, window in zip(self.logits, self.windows, strict=True):
            scores = resize(logits[classes].float(), (window.height, window.width))
            if total is None:
                total = scores.new_zeros(len(scores), *self.canvas)
            _part(total, window).add_(self.activate(scores))
        total /= self._count
        if self.whole is not None:
            scores = self.activate(resize(self.whole[classes].float(), self.whole_size))
            total.lerp_(resize(scores, self.canvas), self.whole_weight)
        return resize(total, size)


def resize(maps: Tensor, size: tuple[int, int]) -> Tensor:
    """Resize maps (N, h, w) bilinearly, corners not aligned, to (N, H, W)."""
    if tuple(maps.shape[-2:]) == tuple(size):
        return maps
    return F.interpolate(maps[None], size, mode='bilinear', align_corners=False)[0]


def resize_rows(maps: Tensor, size: tuple[int, int], rows: slice) -> Tensor:
    """Some rows of what :func:`resize` makes of maps (N, h, w), (N, rows, W)."""
    height = maps.shape[-2]
    at = torch.arange(rows.start, rows.stop, device=maps.device, dtype=maps.dtype)
    at = ((at + 0.5) * (height / size[0]) - 0.5).clamp(min=0)
    above = at.long()
    below = (above + 1).clamp(max=height - 1)
    band = maps[:, above].lerp(maps[:, below], (at - above)[:, None])
    return resize(band, (len(at), size[1]))


def _part(canvas: Tensor, window: Window) -> Tensor:
    rows = slice(window.top, window.top + window.height)
    return canvas[..., rows, window.left : window.left + window.width]
