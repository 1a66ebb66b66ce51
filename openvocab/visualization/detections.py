"""Pictures of what a detector found."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from openvocab.vocab import Vocabulary

from .canvas import fit_to_width
from .regions import draw_regions, region_colors

if TYPE_CHECKING:
    from mmdet.structures import DetDataSample


def draw_detections(
    image: np.ndarray,
    sample: 'DetDataSample',
    metainfo: Mapping[str, Any],
    score_thr: float = 0.3,
    min_width: int = 640,
) -> np.ndarray:
    """Draws boxes, and masks where there are any, with names and scores.

    Better detections cover worse ones.

    Args:
        image: (H, W, 3) uint8 BGR, the original image; it is not changed.
        sample: Its predictions, with ``label_names``; their colours are those of its
            own ``vocabulary``, where it has one.
        metainfo: Of the classes of other samples; ``palette`` gives colours.
        score_thr: Detections below are left out.
        min_width: Narrower images are enlarged to this width, so that names are
            readable.

    Returns:
        (H', max(W, min_width), 3) uint8 BGR.
    """
    found = sample.pred_instances
    found = found[found.scores >= score_thr]
    found = found[found.scores.argsort()]
    width = max(image.shape[1], min_width)
    metainfo = own_metainfo(sample, metainfo)
    captions = [
        f'{name} {score:.2f}'
        for name, score in zip(found.label_names, found.scores.tolist(), strict=True)
    ]
    return draw_regions(
        fit_to_width(image, width),
        found.bboxes.numpy() * (width / image.shape[1]),
        captions,
        region_colors(found.labels.tolist(), len(found), metainfo),
        segment_map_of(found.masks.numpy()) if 'masks' in found else None,
    )


def own_metainfo(
    sample: 'DetDataSample', metainfo: Mapping[str, Any]
) -> Mapping[str, Any]:
    """Metainfo of the classes that a sample's predictions speak of.

    Args:
        sample: It was searched for the classes of its ``vocabulary``, if it has one.
        metainfo: Of the model's classes.
    """
    if sample.get('vocabulary') is None:
        return metainfo
    return Vocabulary.load(sample.vocabulary).metainfo()


def segment_map_of(masks: np.ndarray) -> np.ndarray:
    """(H, W) of (N, H, W) masks: i + 1 where mask i is on top."""
    segments = np.zeros(masks.shape[1:], dtype=np.int32)
    for number, mask in enumerate(masks.astype(bool), 1):
        segments[mask] = number
    return segments
