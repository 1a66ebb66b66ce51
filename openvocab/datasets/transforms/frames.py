"""The three frames of an image: original, resized (un-padded), padded."""

from collections.abc import Mapping
from typing import Any


def scale_factor(results: Mapping[str, Any]) -> tuple[float, float]:
    """Returns resized / original as (x, y); 1 before any resize."""
    return results.get('scale_factor', (1.0, 1.0))


def unpadded_shape(results: Mapping[str, Any]) -> tuple[int, int]:
    """Returns (height, width) of the resized image without padding, in pixels.

    It is derived from ``ori_shape`` and ``scale_factor`` because mmcv's ``Pad``
    overwrites ``img_shape``; so a transform works before and after the padding.
    """
    x_scale, y_scale = scale_factor(results)
    height, width = results['ori_shape']
    return round(height * y_scale), round(width * x_scale)
