"""Class scores of an image that is described by masks, each with class probabilities.

The score of a class at a pixel is the sum over masks of its probability times the
mask's share of the pixel. Memory holds Q masks at the size of the image, however many
classes there are.

Shapes: Q masks, K classes, h x w the masks' resolution, H x W the size wanted.
"""

from collections.abc import Sequence
from typing import NamedTuple

from einops import einsum
from torch import Tensor

from openvocab.registry import MODELS

from .class_scores import TILE, Activation, ClassScores, LabelMap, resize
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
    """Scores of masks resized to the image, activated, cropped, summed, resized.

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
        self._shares: Tensor | None = None

    def at(self, classes: slice, size: tuple[int, int]) -> Tensor:
        """Scores of some classes."""
        shares = self._open(size) if self._shares is None else self._shares
        chosen = self.found.probabilities[:, classes].float()
        return resize(einsum(chosen, shares, 'q k, q h w -> k h w'), size)

    def label_map(self, size: tuple[int, int], tile: int = TILE) -> LabelMap:
        """Best class of every pixel."""
        self._shares = self._open(size)  # for all tiles, and no longer
        try:
            return super().label_map(size, tile)
        finally:
            self._shares = None

    def _open(self, size: tuple[int, int]) -> Tensor:
        """Shares of the masks in the pixels of the image, (Q, H', W').

        Resizing and summing may change places: where the size wanted is smaller, Q
        masks are resized instead of the scores of K classes.
        """
        height, width = self.canvas
        masks = resize(self.found.masks.float(), self.found.padded)
        shares = self.activate(masks[:, :height, :width])
        return resize(shares, size) if size[0] * size[1] < height * width else shares


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
