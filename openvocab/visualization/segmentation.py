"""Pictures of what a segmentor found."""

from collections.abc import Mapping
from typing import Any

import cv2
import numpy as np

from .canvas import fit_to_width, put_label
from .regions import region_colors, tint_segments


def draw_segmentation(
    image: np.ndarray,
    labels: np.ndarray,
    metainfo: Mapping[str, Any],
    scores: np.ndarray | None = None,
    min_width: int = 640,
) -> np.ndarray:
    """Tints and outlines the classes and writes their names on them.

    Every class is named once, in the widest place of its largest part.

    Args:
        image: (H, W, 3) uint8 BGR, the original image; it is not changed.
        labels: (H, W) integers; what is no class of ``metainfo`` stays as it is.
        metainfo: Of the classes that ``labels`` speak of: ``classes``, ``palette``.
        scores: (H, W), written behind the name as their mean over the class.
        min_width: Narrower images are enlarged to this width, so that names are
            readable.

    Returns:
        (H', max(W, min_width), 3) uint8 BGR.
    """
    classes = metainfo['classes']
    shown = [label for label in np.unique(labels).tolist() if label < len(classes)]
    colors = region_colors(shown, len(shown), metainfo)
    picture = fit_to_width(image, max(image.shape[1], min_width)).copy()
    numbers = np.zeros(labels.shape, dtype=np.int32)
    for number, label in enumerate(shown, 1):
        numbers[labels == label] = number
    tint_segments(picture, numbers, colors)
    enlarged = picture.shape[1] / image.shape[1]
    for number, (label, color) in enumerate(zip(shown, colors, strict=True), 1):
        mask = numbers == number
        caption = classes[label]
        if scores is not None:
            caption += f' {scores[mask].mean():.2f}'
        x, y = _widest_place(mask)
        # the label is about 8 pixels wide per letter and 16 high
        corner = (round(x * enlarged) - 4 * len(caption), round(y * enlarged) - 8)
        put_label(picture, caption, corner, color)
    return picture


def _widest_place(mask: np.ndarray) -> tuple[int, int]:
    """Column and row of the pixel of a mask that is farthest from its border."""
    padded = np.pad(mask.astype(np.uint8), 1)
    inside = cv2.distanceTransform(padded, cv2.DIST_L2, 3)[1:-1, 1:-1]
    row, column = np.unravel_index(int(inside.argmax()), mask.shape)
    return int(column), int(row)
