"""Class scores of an image that is described by masks, each with class probabilities.

The score of a class at a pixel is the sum over masks of its probability times the
mask's share of the pixel. Memory holds Q masks at the size that the model was given the
image in, however many classes there are and however large the image is on disk.

Shapes: Q masks, K classes, h x w the masks' resolution, H x W the size wanted.
"""

from collections.abc import Sequence
from typing import NamedTuple

import torch
from einops import einsum
from torch import Tensor

from openvocab.registry import MODELS

from .class_scores import TILE, Activation, ClassScores, LabelMap, resize, resize_rows
from .inference import Forward, Inference


class NamedMasks(NamedTuple):
    """Masks of one image."""

    masks: Tensor
    """(Q, h, w) logits over the padded image."""
    probabilities: Tensor
    """(Q, K)."""
    padded: tuple[int, int]
    """Height and width of the padded image; it was padded right and below."""


class MaskScores(ClassScores):
    """Logits of masks resized to the image, cropped, resized, activated, summed.

    Args:
        found: Masks and their classes.
        activate: Elementwise function from mask logits to shares of a pixel.
        size: Height and width of the image without padding.
    """

    def __init__(
        self, found: NamedMasks, activate: Activation, size: tuple[int, int]
    ) -> None:
        self.found = found
        self.activate = activate
        self.canvas = size
        self.num_classes = found.probabilities.shape[1]

    def at(self, classes: slice, size: tuple[int, int]) -> Tensor:
        """Scores of some classes."""
        return self._sum(resize(self._masks(), size), classes)

    def label_map(self, size: tuple[int, int], tile: int = TILE) -> LabelMap:
        """Best class of every pixel, a band of rows at a time.

        Args:
            size: H and W.
            tile: Number of masks' or classes' values that may exist at a time; at least
                one row is in a band.
        """
        masks = self._masks()
        step = max(1, tile // (max(masks.shape[0], self.num_classes) * size[1]))
        bands = []
        for top in range(0, size[0], step):
            rows = slice(top, min(top + step, size[0]))
            scores = self._sum(resize_rows(masks, size, rows), slice(None))
            bands.append(scores.max(dim=0))
        scores, labels = (torch.cat(parts) for parts in zip(*bands, strict=True))
        return LabelMap(labels, scores)

    def _masks(self) -> Tensor:
        """Logits over the image without padding, (Q, H', W')."""
        height, width = self.canvas
        masks = resize(self.found.masks.float(), self.found.padded)
        return masks[:, :height, :width]

    def _sum(self, masks: Tensor, classes: slice) -> Tensor:
        chosen = self.found.probabilities[:, classes].float()
        return einsum(chosen, self.activate(masks), 'q k, q h w -> k h w')


@MODELS.register_module()
class MaskInference(Inference):
    """One forward pass per image, for segmentors that return masks.

    Args:
        batch_size: Images of one size in one forward pass.
    """

    def __call__(
        self, images: Sequence[Tensor], forward: Forward, activate: Activation
    ) -> list[ClassScores]:
        """Segments images; ``forward`` returns one :class:`NamedMasks` per image."""
        return [
            MaskScores(found, activate, tuple(image.shape[-2:]))
            for found, image in zip(
                self._forward_each(images, forward), images, strict=True
            )
        ]
