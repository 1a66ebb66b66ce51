"""What an aligner or a readout asks of a vision foundation model (VFM).

Shapes: B images, C channels, (h, w) tokens.
"""

from abc import ABCMeta, abstractmethod

import torch
from mmengine.model import BaseModule
from torch import Tensor
from torch.nn import functional as F

from ...freezing import freeze
from ..frozen_teacher import reduced_precision


class VFMTeacher(BaseModule, metaclass=ABCMeta):
    """A frozen encoder that gives one feature per patch.

    Subclasses build their network, state the attributes and implement ``encode``.

    Args:
        patch_size: Pixels per token and side.
        mean: Channel means (RGB, images in [0, 1]) that it was trained with.
        std: Channel deviations, likewise.
    """

    def __init__(
        self, patch_size: int, mean: tuple[float, ...], std: tuple[float, ...]
    ) -> None:
        super().__init__()
        self.patch_size = patch_size
        self.mean = tuple(mean)
        self.std = tuple(std)

    @abstractmethod
    def encode(self, images: Tensor) -> Tensor:
        """Computes features with their gradient, (B, 3, H, W) to (B, C, h, w)."""

    def freeze(self) -> 'VFMTeacher':
        """Fixes the weights; see :func:`openvocab.models.freezing.freeze`."""
        return freeze(self)

    def forward(self, images: Tensor) -> Tensor:
        """Computes the features.

        Args:
            images: (B, 3, H, W), normalised by ``mean`` and ``std``; H and W multiples
                of ``patch_size``.

        Returns:
            (B, C, H / patch_size, W / patch_size) float32, detached, not normalised.
        """
        with torch.no_grad(), reduced_precision(images.device):
            return self.encode(images).float()


def features_on_grid(
    vfm: VFMTeacher,
    images: Tensor,
    mean: tuple[float, ...],
    std: tuple[float, ...],
    grid: tuple[int, int],
) -> Tensor:
    """Lets a VFM see images of another encoder, one of its tokens per token of that.

    Images are normalised anew and resized (bicubic, antialiased) to ``grid`` times the
    VFM's patch. Black padding stays black and keeps its place.

    Args:
        vfm: The VFM.
        images: (B, 3, H, W) normalised images of the other encoder.
        mean: Channel means that they were normalised with.
        std: Channel deviations, likewise.
        grid: Tokens (h, w) of the other encoder.

    Returns:
        (B, C, h, w) float32, detached.

    Raises:
        ValueError: If the VFM returns another grid.
    """
    factor, offset = (
        values.to(images, non_blocking=True)
        for values in _renormalization(mean, std, vfm)
    )
    images = images * factor + offset
    size = tuple(side * vfm.patch_size for side in grid)
    if tuple(images.shape[-2:]) != size:
        images = F.interpolate(
            images, size, mode='bicubic', align_corners=False, antialias=True
        )
    features = vfm(images)
    if tuple(features.shape[-2:]) != tuple(grid):
        height, width = features.shape[-2:]
        raise ValueError(
            f'{type(vfm).__name__} returns {height} x {width} tokens for images of '
            f'{size[0]} x {size[1]} px, the student has {grid[0]} x {grid[1]}; context '
            'distillation needs equal grids: take a VFM whose map is its image divided '
            f'by patch_size ({vfm.patch_size})'
        )
    return features


def _renormalization(
    mean: tuple[float, ...], std: tuple[float, ...], vfm: VFMTeacher
) -> tuple[Tensor, Tensor]:
    """Factor and offset, each (3, 1, 1), from one normalisation to the VFM's."""
    mean, std, own_mean, own_std = (
        torch.tensor(values).view(3, 1, 1) for values in (mean, std, vfm.mean, vfm.std)
    )
    return std / own_std, (mean - own_mean) / own_std
