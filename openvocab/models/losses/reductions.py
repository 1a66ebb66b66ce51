"""How the losses of single regions become one number.

A reduction returns the weight of every region, so that the loss is the weighted sum.
Shapes: N regions of this rank, B images of this rank. All results have static shapes:
a dropped region has the weight 0.
"""

import torch
from torch import Tensor

from openvocab.registry import TASK_UTILS

from ..building import build_module
from .global_count import mean_count_per_rank


@TASK_UTILS.register_module()
class GroupSum:
    """Mean over thing regions plus mean over stuff regions of the whole batch.

    The reduction of the released DenseVLM weights: a rare kind counts as much as a
    common one. A kind without regions adds zero.
    """

    def __call__(
        self, keep: Tensor, thing: Tensor, region_to_image: Tensor, num_images: int
    ) -> Tensor:
        """Weighs regions.

        Args:
            keep: (N,) float, 1 for regions that take part, else 0.
            thing: (N,) bool, kind of the retrieved class.
            region_to_image: (N,) int64, unused.
            num_images: B, unused.

        Returns:
            (N,) float weights.
        """
        thing = thing.to(keep)
        groups = torch.stack((keep * thing, keep * (1 - thing)))
        return (groups / mean_count_per_rank(groups.sum(1, keepdim=True))).sum(0)


@TASK_UTILS.register_module()
class RegionMean:
    """Mean over the kept regions of an image, then over the images (section 3.2).

    An image that keeps no region counts as an image with zero loss.
    """

    def __call__(
        self, keep: Tensor, thing: Tensor, region_to_image: Tensor, num_images: int
    ) -> Tensor:
        """Weighs regions.

        Args:
            keep: (N,) float, 1 for regions that take part, else 0.
            thing: (N,) bool, unused.
            region_to_image: (N,) int64 index of each region's image.
            num_images: B.

        Returns:
            (N,) float weights.
        """
        kept = keep.new_zeros(num_images).index_add(0, region_to_image, keep)
        images = mean_count_per_rank(keep.new_full((), float(num_images)))
        return keep / (kept.clamp(min=1)[region_to_image] * images)


Reduction = GroupSum | RegionMean
_SHORT_NAMES = {'group': GroupSum, 'region': RegionMean}


def build_reduction(source: str | dict | Reduction) -> Reduction:
    """Returns a reduction by short name (``group``, ``region``) or config.

    Raises:
        ValueError: If the short name is unknown.
    """
    if isinstance(source, str):
        if source not in _SHORT_NAMES:
            raise ValueError(
                f'reduction {source!r} is not one of {sorted(_SHORT_NAMES)}'
            )
        return _SHORT_NAMES[source]()
    return build_module(source, TASK_UTILS)
