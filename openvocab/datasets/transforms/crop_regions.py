"""Image crops of the regions, for teachers and baselines that read crops."""

from typing import Any

import numpy as np
import torch
from mmcv.transforms import BaseTransform
from torch import Tensor

from openvocab.registry import TRANSFORMS

from .frames import scale_factor
from .resize import resize_bicubic


@TRANSFORMS.register_module()
class KeepOriginalImage(BaseTransform):
    """Keeps the loaded image for :class:`CropRegions`; stands before ``Resize``.

    It holds a reference, no copy. Pipelines that cut no crops leave it out.
    """

    def transform(self, results: dict[str, Any]) -> dict[str, Any]:
        """Writes ``ori_img``."""
        results['ori_img'] = results['img']
        return results

    def __repr__(self) -> str:
        return f'{type(self).__name__}()'


@TRANSFORMS.register_module()
class CropRegions(BaseTransform):
    """Cuts each region out of the original image, at full resolution.

    A region's box is mapped back to the original image, enlarged about its centre,
    clipped to the image and cut to whole pixels; the crop's longest side is resized
    (bicubic, antialiased) to ``size`` and the rest of the square filled with black on
    both sides (CLIPSelf, section 3.2). Boxes without a pixel give a black crop with
    ``crop_valid`` false.

    Writes ``regions['crops']`` (N, 3, size, size) uint8 in the channel order of the
    image, and ``regions['crop_valid']`` (N,) bool.

    Args:
        size: Side of the crops in pixels: the input size of the crop reader.
        scale: Enlargement of the box; 1 for grid cells, 1.5 for proposals and for the
            crop baseline of the evaluation.

    Raises:
        KeyError: No original image was kept, or no regions were made before.
    """

    def __init__(self, size: int, scale: float = 1.0) -> None:
        if size < 1 or scale <= 0:
            raise ValueError(
                f'CropRegions: size and scale must be positive, got {size} and {scale}'
            )
        self.size = size
        self.scale = scale

    def transform(self, results: dict[str, Any]) -> dict[str, Any]:
        """Cuts the crops."""
        for key, remedy in (
            (
                'ori_img',
                "put dict(type='openvocab.KeepOriginalImage') before the resize",
            ),
            ('regions', 'put a transform that makes regions before CropRegions'),
        ):
            if key not in results:
                raise KeyError(f"CropRegions needs '{key}': {remedy}")
        original = results['ori_img']
        boxes = self._pixel_boxes(results)
        crops = torch.zeros((len(boxes), 3, self.size, self.size), dtype=torch.uint8)
        valid = (boxes[:, 2:] > boxes[:, :2]).all(axis=1)
        for crop, (x1, y1, x2, y2), is_valid in zip(crops, boxes, valid, strict=True):
            if is_valid:
                self._paste(original[y1:y2, x1:x2], crop)
        results['regions']['crops'] = crops
        results['regions']['crop_valid'] = torch.from_numpy(valid)
        return results

    def _pixel_boxes(self, results: dict[str, Any]) -> np.ndarray:
        """Returns (N, 4) int boxes in the original image."""
        boxes = np.asarray(results['regions']['bboxes'], dtype=np.float64)
        boxes = boxes / np.tile(np.asarray(scale_factor(results)), 2)
        centres = (boxes[:, :2] + boxes[:, 2:]) / 2
        halves = (boxes[:, 2:] - boxes[:, :2]) / 2 * self.scale
        height, width = results['ori_img'].shape[:2]
        boxes = np.concatenate([centres - halves, centres + halves], axis=1)
        boxes = np.clip(boxes, 0, [width, height, width, height])
        return boxes.round().astype(np.int64)

    def _paste(self, cut: np.ndarray, crop: Tensor) -> None:
        height, width = cut.shape[:2]
        ratio = self.size / max(height, width)
        height = max(1, round(height * ratio))
        width = max(1, round(width * ratio))
        top, left = (self.size - height) // 2, (self.size - width) // 2
        resized = resize_bicubic(cut, (height, width))
        crop[:, top : top + height, left : left + width] = resized

    def __repr__(self) -> str:
        return f'{type(self).__name__}(size={self.size}, scale={self.scale})'
