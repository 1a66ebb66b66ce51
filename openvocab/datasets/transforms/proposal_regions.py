"""Regions from given proposals."""

from typing import Any

import numpy as np
from mmcv.transforms import BaseTransform

from openvocab.registry import TRANSFORMS

from .frames import scale_factor, unpadded_shape


@TRANSFORMS.register_module()
class ProposalRegions(BaseTransform):
    """Draws regions from the proposals of the image.

    Proposals outside the image are clipped, those whose area is not within
    ``min_size^2 .. max_size^2`` pixels *of the original image* are dropped (CLIPSelf),
    and ``max_regions`` of the rest are drawn at random, whatever their score. An image
    left without any is an error unless ``fallback`` says where its regions come from;
    :class:`UnlabeledImageDataset` logs how many images have no proposal.

    Writes ``regions['bboxes']`` (N, 4) float32: x1, y1, x2, y2 in pixels of the resized
    image.

    Args:
        max_regions: Regions per image; CLIPSelf takes 20, grids have up to 36.
        min_size: Square root of the smallest area, in pixels.
        max_size: Square root of the largest area, in pixels.
        fallback: Transform that writes the regions of an image without proposals, for
            example ``dict(type='openvocab.GridRegions')``.

    Raises:
        KeyError: The data set gives no proposals.
        ValueError: An image has no usable proposal and there is no fallback.
    """

    def __init__(
        self,
        max_regions: int = 20,
        min_size: float = 8,
        max_size: float = 1024,
        fallback: dict[str, Any] | None = None,
    ) -> None:
        self.max_regions = max_regions
        self.min_size = min_size
        self.max_size = max_size
        self.fallback = None if fallback is None else TRANSFORMS.build(fallback)

    def transform(self, results: dict[str, Any]) -> dict[str, Any]:
        """Filters, draws and scales the proposals."""
        if 'proposals' not in results:
            raise KeyError(
                f'{results["img_path"]} comes without proposals: set proposals_file of '
                'the data set'
            )
        height, width = results['ori_shape']
        limits = np.array([width, height, width, height], dtype=np.float32)
        boxes = np.clip(results['proposals'][:, :4], 0, limits)
        sides = boxes[:, 2:] - boxes[:, :2]
        areas = sides.prod(axis=1)
        usable = (sides > 0).all(axis=1)
        usable &= (areas >= self.min_size**2) & (areas <= self.max_size**2)
        boxes = boxes[usable]
        if len(boxes) == 0:
            return self._without_proposals(results)
        chosen = np.random.permutation(len(boxes))[: self.max_regions]
        new_height, new_width = unpadded_shape(results)
        scale = np.tile(np.array(scale_factor(results), dtype=np.float32), 2)
        limits = np.array([new_width, new_height, new_width, new_height], np.float32)
        results['regions'] = dict(bboxes=np.minimum(boxes[chosen] * scale, limits))
        return results

    def _without_proposals(self, results: dict[str, Any]) -> dict[str, Any]:
        if self.fallback is None:
            raise ValueError(
                f'{results["img_path"]} has no proposal of {self.min_size}^2 to '
                f'{self.max_size}^2 pixels; give ProposalRegions a fallback, such as '
                "dict(type='openvocab.GridRegions')"
            )
        return self.fallback(results)

    def __repr__(self) -> str:
        return (
            f'{type(self).__name__}(max_regions={self.max_regions}, '
            f'min_size={self.min_size}, max_size={self.max_size}, '
            f'fallback={self.fallback})'
        )
