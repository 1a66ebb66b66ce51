"""How an image is shown to a segmentor: as a whole, or in windows."""

from abc import ABC, abstractmethod
from collections import defaultdict
from collections.abc import Callable, Sequence

import torch
from torch import Tensor

from openvocab.registry import MODELS

from .class_scores import (
    Activation,
    ClassScores,
    WholeScores,
    Window,
    WindowScores,
    resize,
)

Forward = Callable[[Tensor], Tensor]


class Inference(ABC):
    """Strategy: from images of any size to scores of every class.

    Args:
        batch_size: Views (images or windows) in one forward pass.
    """

    def __init__(self, batch_size: int = 8) -> None:
        if batch_size < 1:
            raise ValueError(f'batch_size must be at least 1, got {batch_size}')
        self.batch_size = batch_size

    @abstractmethod
    def __call__(
        self, images: Sequence[Tensor], forward: Forward, activate: Activation
    ) -> list[ClassScores]:
        """Segments images, each as if it were alone.

        Args:
            images: B normalised images (3, H_i, W_i), without padding.
            forward: From (N, 3, H, W) to logits (N, K, h, w).
            activate: Elementwise function from logits to scores.

        Returns:
            One per image.
        """

    def _forward_each(self, views: Sequence[Tensor], forward: Forward) -> list[Tensor]:
        """Logits (K, h, w) of views (3, H, W); equal sizes share a pass."""
        groups: dict[tuple[int, ...], list[int]] = defaultdict(list)
        for index, view in enumerate(views):
            groups[tuple(view.shape)].append(index)
        logits: dict[int, Tensor] = {}
        for indices in groups.values():
            for start in range(0, len(indices), self.batch_size):
                chosen = indices[start : start + self.batch_size]
                out = forward(torch.stack([views[index] for index in chosen]))
                logits.update(zip(chosen, out, strict=True))
        return [logits[index] for index in range(len(views))]


@MODELS.register_module()
class WholeInference(Inference):
    """One forward pass per image.

    Args:
        size: Side of a square, or height and width, that every image is resized to; by
            default it stays as the pipeline made it.
        batch_size: Images in one forward pass.
    """

    def __init__(
        self, size: int | tuple[int, int] | None = None, batch_size: int = 8
    ) -> None:
        super().__init__(batch_size)
        self.size = (size, size) if isinstance(size, int) else size

    def __call__(
        self, images: Sequence[Tensor], forward: Forward, activate: Activation
    ) -> list[ClassScores]:
        """Segments images."""
        if self.size is not None:
            images = [resize(image, self.size) for image in images]
        logits = self._forward_each(images, forward)
        return [WholeScores(each, activate) for each in logits]


@MODELS.register_module()
class SlideAndGlobalInference(Inference):
    """Overlapping windows, and the whole image at the size of a window.

    Scores are averaged where windows overlap, and that average with the scores of the
    whole image, which is resized from the image as the pipeline made it.

    Args:
        canvas: Images are resized to this size before windows are cut: the side of a
            square, which changes their aspect ratio, or with ``keep_ratio`` the shorter
            side. None leaves them as the pipeline made them.
        crop: Side of a window in pixels of the canvas; a canvas that is smaller is one
            window.
        stride: Distance of windows; the last one ends at the border.
        keep_ratio: Keep the aspect ratio of the canvas and of the view of the whole,
            whose shorter side is then ``crop``.
        global_weight: Share of the whole image in the scores; 0 leaves it out.
        batch_size: Views in one forward pass. An image of the defaults has five.

    Source: Cho et al., "CAT-Seg", CVPR 2024, section 4.2 and public code: a square of
    640 px, windows of 384 px every 256 px, equal shares.
    """

    def __init__(
        self,
        canvas: int | None = 640,
        crop: int = 384,
        stride: int = 256,
        keep_ratio: bool = False,
        global_weight: float = 0.5,
        batch_size: int = 5,
    ) -> None:
        super().__init__(batch_size)
        if not 0 < stride <= crop:
            raise ValueError(
                f'stride={stride} must lie between 1 and crop={crop}: windows would '
                'leave pixels out'
            )
        if not 0 <= global_weight <= 1:
            raise ValueError(f'global_weight={global_weight} is not between 0 and 1')
        self.canvas = canvas
        self.crop = crop
        self.stride = stride
        self.keep_ratio = keep_ratio
        self.global_weight = global_weight

    def __call__(
        self, images: Sequence[Tensor], forward: Forward, activate: Activation
    ) -> list[ClassScores]:
        """Segments images."""
        wholes = []
        if self.global_weight:
            wholes = [resize(i, self._size(i, self.crop)) for i in images]
        if self.canvas is not None:
            images = [resize(i, self._size(i, self.canvas)) for i in images]
        windows = [self.windows(*image.shape[-2:]) for image in images]
        views = [
            image[:, w.top : w.top + w.height, w.left : w.left + w.width]
            for image, places in zip(images, windows, strict=True)
            for w in places
        ]
        logits = iter(self._forward_each([*views, *wholes], forward))
        parts = [[next(logits) for _ in places] for places in windows]
        scores = []
        for index, (image, places) in enumerate(zip(images, windows, strict=True)):
            whole = dict(
                whole=next(logits),
                whole_size=tuple(wholes[index].shape[-2:]),
                whole_weight=self.global_weight,
            ) if wholes else {}  # fmt: skip
            canvas = tuple(image.shape[-2:])
            scores.append(WindowScores(parts[index], places, canvas, activate, **whole))
        return scores

    def windows(self, height: int, width: int) -> list[Window]:
        """Windows of a canvas, row by row; together they cover it."""
        rows, columns = self._starts(height), self._starts(width)
        size = min(self.crop, height), min(self.crop, width)
        return [Window(top, left, *size) for top in rows for left in columns]

    def _starts(self, side: int) -> list[int]:
        rest = max(side - self.crop, 0)
        steps = -(-rest // self.stride)
        return [min(step * self.stride, rest) for step in range(steps + 1)]

    def _size(self, image: Tensor, side: int) -> tuple[int, int]:
        """What an image is resized to: a square, or with its shorter side so long."""
        if not self.keep_ratio:
            return side, side
        height, width = image.shape[-2:]
        factor = side / min(height, width)
        return round(height * factor), round(width * factor)
