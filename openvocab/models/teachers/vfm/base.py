"""What an aligner or a readout asks of a vision foundation model (VFM).

Shapes: B images, C channels, (h, w) tokens.
"""

from abc import ABCMeta, abstractmethod
from typing import Any

import torch
from mmengine.logging import MMLogger
from mmengine.model import BaseModule
from torch import Tensor
from torch.nn import functional as F

from openvocab.checkpoints.reading import CheckpointError

from ...clip_factory import clip_fingerprint
from ...freezing import freeze, has_tensors, is_frozen
from ...records import describe_record, pop_record, record_to_tensor, same_weights
from ..frozen_teacher import reduced_precision


class VFMTeacher(BaseModule, metaclass=ABCMeta):
    """A frozen encoder that gives one feature per patch.

    Subclasses build their network, state the attributes and implement ``encode``. One
    that loads its weights at construction overrides ``init_weights`` to keep them:
    mmengine also calls that of timm's and transformers' models, which draws new ones.

    A training checkpoint holds a :meth:`record` in place of the weights; loading it
    into a model with another VFM is an error.

    Args:
        patch_size: Pixels per token and side.
        mean: Channel means (RGB, images in [0, 1]) that it was trained with.
        std: Channel deviations, likewise.

    Attributes:
        arch: Name of the architecture, in records; by default that of the class.
    """

    def __init__(
        self, patch_size: int, mean: tuple[float, ...], std: tuple[float, ...]
    ) -> None:
        super().__init__()
        self.patch_size = patch_size
        self.mean = tuple(mean)
        self.std = tuple(std)
        self.arch = type(self).__name__
        self._register_load_state_dict_pre_hook(_check_record, with_module=True)

    @abstractmethod
    def encode(self, images: Tensor) -> Tensor:
        """Computes features with their gradient, (B, 3, H, W) to (B, C, h, w)."""

    def freeze(self) -> 'VFMTeacher':
        """Fixes the weights; see :func:`openvocab.models.freezing.freeze`."""
        return freeze(self)

    def record(self) -> dict[str, Any]:
        """Identify the VFM: ``arch``, and the sha256 of its tensors as ``checkpoint``.

        Not of its file: timm's and the authors' hold the same weights.
        """
        return dict(arch=self.arch, checkpoint=clip_fingerprint(self.arch, None, self))

    def record_tensor(self) -> Tensor:
        """:meth:`record` as it stands in checkpoints, uint8."""
        return record_to_tensor(self.record())

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


def _check_record(
    vfm: VFMTeacher, state_dict: dict[str, Any], prefix: str, *args: Any
) -> None:
    """Compare the VFM that a model was trained with with the one that it has."""
    name = prefix.removeprefix('module.').removesuffix('.') or 'vfm'
    record = pop_record(state_dict, prefix)
    if record is None and (not is_frozen(vfm) or has_tensors(state_dict, prefix)):
        return
    if not vfm.is_init:
        vfm.init_weights()  # as for encoders: an init_cfg may not be applied yet
    own = vfm.record()
    if record is None:
        MMLogger.get_current_instance().info(
            f'model.{name}: the checkpoint does not say which VFM it was trained with; '
            f'this model has {describe_record(own)}'
        )
    elif not same_weights(record, own):
        raise CheckpointError(
            f'model.{name}: the checkpoint was trained with the VFM '
            f'{describe_record(record)}, this model has {describe_record(own)}.\n'
            f'Set model.{name} to the VFM that it was trained with, and its checkpoint '
            'to the same weights.'
        )


def _renormalization(
    mean: tuple[float, ...], std: tuple[float, ...], vfm: VFMTeacher
) -> tuple[Tensor, Tensor]:
    """Factor and offset, each (3, 1, 1), from one normalisation to the VFM's."""
    mean, std, own_mean, own_std = (
        torch.tensor(values).view(3, 1, 1) for values in (mean, std, vfm.mean, vfm.std)
    )
    return std / own_std, (mean - own_mean) / own_std
