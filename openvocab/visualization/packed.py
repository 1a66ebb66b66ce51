"""Pictures of what a data pipeline hands to a model, whatever the task."""

from collections.abc import Mapping
from typing import Any

import cv2
import numpy as np
from mmengine.structures import BaseDataElement
from torch import Tensor

from .canvas import fit_to_width
from .detections import segment_map_of
from .regions import draw_regions, draw_sample, region_captions, region_colors
from .segmentation import draw_segmentation


def draw_packed(
    inputs: Tensor, sample: BaseDataElement, metainfo: Mapping[str, Any], width: int
) -> np.ndarray:
    """Draws a packed image with its ground truth: names, thing or stuff, split.

    Args:
        inputs: (3, H, W) uint8 BGR image, padded or not.
        sample: What ``PackRegions``, ``PackDetInputs`` or ``PackSegInputs`` made.
        metainfo: Of the data set: ``classes`` and, where known, ``is_thing, splits,
            palette``.
        width: Pixels of the picture's width.

    Returns:
        (H', width, 3) uint8 BGR.

    Raises:
        ValueError: The sample has no ground truth that could be drawn.
    """
    if 'regions' in sample:
        return draw_sample(inputs, sample, metainfo, width)
    image = np.ascontiguousarray(inputs.permute(1, 2, 0).numpy())
    if 'gt_instances' in sample:
        return _draw_boxes(image, sample.gt_instances, metainfo, width)
    if 'gt_sem_seg' in sample:
        labels = sample.gt_sem_seg.data[0].numpy()
        return _draw_labels(image, labels, metainfo, width)
    raise ValueError(
        f'{type(sample).__name__} holds neither regions nor gt_instances nor '
        'gt_sem_seg: nothing to draw'
    )


def _draw_boxes(
    image: np.ndarray, truth: Any, metainfo: Mapping[str, Any], width: int
) -> np.ndarray:
    boxes = getattr(truth.bboxes, 'tensor', truth.bboxes).numpy()
    labels = truth.labels.tolist()
    segments = None
    if 'masks' in truth and len(boxes):
        segments = segment_map_of(truth.masks.to_ndarray())
    return draw_regions(
        fit_to_width(image, width),
        boxes * (width / image.shape[1]),
        region_captions(labels, len(labels), metainfo),
        region_colors(labels, len(labels), metainfo),
        segments,
    )


def _draw_labels(
    image: np.ndarray, labels: np.ndarray, metainfo: Mapping[str, Any], width: int
) -> np.ndarray:
    # labels that are loaded after the resizing have the size of the file
    image = cv2.resize(image, labels.shape[::-1], interpolation=cv2.INTER_AREA)
    every = range(len(metainfo['classes']))
    captioned = dict(metainfo, classes=region_captions(every, len(every), metainfo))
    picture = draw_segmentation(image, labels, captioned, min_width=width)
    return fit_to_width(picture, width)
