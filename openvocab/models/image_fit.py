"""Resizing a batch, on its device, to what an encoder accepts."""

from typing import NamedTuple

import torch
from torch import Tensor
from torch.nn import functional as F


class FittedImages(NamedTuple):
    """A batch whose sides are multiples of a patch.

    Attributes:
        images: (B, 3, h, w).
        scale: Factors (x, y) from the pixels of the source to those of ``images``.
    """

    images: Tensor
    scale: tuple[float, float]

    def scale_boxes(self, boxes: list[Tensor]) -> list[Tensor]:
        """Maps xyxy boxes (N_i, 4) of the source images to the fitted ones."""
        if self.scale == (1.0, 1.0):
            return boxes
        factors = torch.tensor(self.scale * 2).to(boxes[0].device, non_blocking=True)
        return [box * factors.to(box.dtype) for box in boxes]


def fit_images(
    images: Tensor,
    patch_size: int,
    long_side: int | None = None,
    antialias: bool = True,
) -> FittedImages:
    """Resizes a batch so that both sides are multiples of the patch.

    Sides are rounded down (512 px and a patch of 14 give 504 px = 36 tokens), at
    least to one patch. A batch that fits already is returned as it is.

    Args:
        images: (B, 3, H, W) normalised images.
        patch_size: Pixels per patch side.
        long_side: First scale to this longer side, keeping the aspect ratio.
        antialias: Let every pixel of the source count where it is made smaller.

    Returns:
        The images and the factors that map boxes to them.
    """
    height, width = images.shape[-2:]
    ratio = 1.0 if long_side is None else long_side / max(height, width)
    size = tuple(
        max(round(side * ratio) // patch_size, 1) * patch_size
        for side in (height, width)
    )
    if size == (height, width):
        return FittedImages(images, (1.0, 1.0))
    resized = F.interpolate(
        images, size, mode='bilinear', align_corners=False, antialias=antialias
    )
    return FittedImages(resized, (size[1] / width, size[0] / height))
