"""Average precision per class, computed by faster_coco_eval."""

from collections.abc import Hashable, Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np
from faster_coco_eval.core.coco import COCO
from faster_coco_eval.core.faster_eval_api import COCOeval_faster
from faster_coco_eval.core.mask import area as rle_area

from .coco_ground_truth import ImageTruth
from .detection_results import Detections

# (image, class) pairs evaluated at once. The evaluator keeps about 1 kB for each, and
# LVIS val has 24 million.
_PAIRS = 400_000
_ALL, _SMALL, _MEDIUM, _LARGE = range(4)  # areas, in the order of COCOeval


class ClassPrecision(NamedTuple):
    """Average precision of every class, in percent; nan where nothing is to be found.

    Attributes:
        ap: (K,) mean over the IoU thresholds 0.50, 0.55, ..., 0.95.
        ap50: (K,) at IoU 0.50.
        ap75: (K,) at IoU 0.75.
        aps: (K,) as ``ap``, objects of up to 32^2 pixels.
        apm: (K,) as ``ap``, objects of 32^2 to 96^2 pixels.
        apl: (K,) as ``ap``, larger objects.
    """

    ap: np.ndarray
    ap50: np.ndarray
    ap75: np.ndarray
    aps: np.ndarray
    apm: np.ndarray
    apl: np.ndarray


def class_precision(
    truths: Mapping[Hashable, ImageTruth],
    detections: Mapping[Hashable, Detections],
    num_classes: int,
    iou_type: str,
    max_dets: int,
    federated: bool = False,
    pairs: int = _PAIRS,
) -> ClassPrecision:
    """Evaluates detections as pycocotools does, or as lvis-api does.

    Classes do not influence each other, so they are evaluated in groups, and the
    evaluator's tables stay small however many classes there are.

    Args:
        truths: Image id -> ground truth, of the images to evaluate.
        detections: Image id -> detections, of the same images.
        num_classes: Number of classes K.
        iou_type: ``bbox`` or ``segm``.
        max_dets: Number of detections that count per image and class, best first.
        federated: Detections count only where their class is annotated or known to be
            absent, and unmatched ones not where it is not annotated exhaustively;
            objects and detections of no area, such as empty masks, never count.
        pairs: Number of (image, class) pairs to evaluate at once.

    Raises:
        ValueError: Masks are to be evaluated and an object has none.
    """
    # Equal scores are ranked by image, as in pycocotools: by ascending id.
    ids = sorted(truths)
    objects = _objects_by_class([truths[i] for i in ids], num_classes)
    found = _DetectionsByClass([detections[i] for i in ids], num_classes)
    size = max(1, pairs // max(1, len(ids)))
    tables = []
    for first in range(0, num_classes, size):
        group = range(first, min(first + size, num_classes))
        reference = [entry for label in group for entry in objects[label]]
        result = [entry for label in group for entry in found.entries(label, iou_type)]
        if federated:
            reference, result = _with_area(reference), _with_area(result)
        _require_masks(reference, ids, iou_type)
        images = sorted({entry['image_id'] for entry in (*reference, *result)})
        infos = [_image_info(i, truths[ids[i]]) for i in images]
        evaluator = COCOeval_faster(
            _coco(infos, reference, group),
            _coco(infos, result, group),
            iou_type,
            lvis_style=federated,
        )
        evaluator.params.maxDets = [max_dets]
        tables.append(_precision(evaluator, len(group)))
    precision = np.concatenate(tables, axis=2)
    return ClassPrecision(
        ap=_mean(precision[..., _ALL]),
        ap50=_mean(precision[:1, ..., _ALL]),
        ap75=_mean(precision[5:6, ..., _ALL]),
        aps=_mean(precision[..., _SMALL]),
        apm=_mean(precision[..., _MEDIUM]),
        apl=_mean(precision[..., _LARGE]),
    )


class _DetectionsByClass:
    """Arrays of all detections, turned into entries of the evaluator class by class."""

    def __init__(self, images: Sequence[Detections], num_classes: int) -> None:
        counts = [len(image) for image in images]
        labels = np.concatenate([image.labels for image in images] or [[]])
        order = np.argsort(labels, kind='stable')
        self._images = images
        self._image = np.repeat(np.arange(len(images)), counts)[order]
        self._row = np.concatenate([np.arange(n) for n in counts] or [[]])[order]
        self._starts = np.searchsorted(labels[order], np.arange(num_classes + 1))

    def entries(self, label: int, iou_type: str) -> list[dict[str, Any]]:
        """Returns the detections of a class in the order of images."""
        chosen = slice(self._starts[label], self._starts[label + 1])
        pairs = zip(self._image[chosen], self._row[chosen], strict=True)
        return [self._entry(int(i), int(row), label, iou_type) for i, row in pairs]

    def _entry(self, i: int, row: int, label: int, iou_type: str) -> dict[str, Any]:
        image = self._images[i]
        box = image.xywh(row)
        entry = dict(
            image_id=i,
            category_id=label,
            score=float(image.scores[row]),
            bbox=box,
            area=box[2] * box[3],
        )
        if iou_type == 'segm':
            mask = image.masks[row]
            entry.update(segmentation=mask, area=float(rle_area(mask)))
        return entry


def _objects_by_class(
    truths: Sequence[ImageTruth], num_classes: int
) -> list[list[dict[str, Any]]]:
    classes: list[list[dict[str, Any]]] = [[] for _ in range(num_classes)]
    for i, truth in enumerate(truths):
        for entry in truth.objects:
            label = entry['label']
            classes[label].append({**entry, 'image_id': i, 'category_id': label})
    return classes


def _require_masks(
    objects: Sequence[Mapping[str, Any]], ids: Sequence[Hashable], iou_type: str
) -> None:
    if iou_type == 'segm':
        for entry in objects:
            if entry['segmentation'] is None:
                raise ValueError(
                    f'image {ids[entry["image_id"]]} has an object without a mask; '
                    "evaluate metric='bbox'"
                )


def _with_area(entries: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return [entry for entry in entries if entry['area'] > 0]


def _image_info(i: int, truth: ImageTruth) -> dict[str, Any]:
    return dict(
        id=i,
        height=truth.height,
        width=truth.width,
        neg_category_ids=truth.negative,
        not_exhaustive_category_ids=truth.not_exhaustive,
    )


def _coco(images: list[dict], annotations: list[dict], labels: Sequence[int]) -> COCO:
    # Ids start at 1: the evaluator takes 0 for "not matched".
    numbered = [{**entry, 'id': n} for n, entry in enumerate(annotations, start=1)]
    # Splits are averaged elsewhere; the LVIS style merely asks for a frequency.
    categories = [dict(id=label, frequency='f') for label in labels]
    return COCO(dict(images=images, annotations=numbered, categories=categories))


def _precision(evaluator: COCOeval_faster, num_classes: int) -> np.ndarray:
    """Returns (IoU thresholds, recalls, classes, areas), -1 for nothing to be found."""
    params = evaluator.params
    if not params.imgIds:
        shape = (len(params.iouThrs), len(params.recThrs), num_classes, _LARGE + 1)
        return np.full(shape, -1.0)
    evaluator.evaluate()
    evaluator.accumulate()
    return evaluator.eval['precision'][..., -1]


def _mean(precision: np.ndarray) -> np.ndarray:
    """Averages (thresholds, recalls, classes) per class, in percent."""
    # Of a class either every entry is known or none.
    means = 100 * precision.mean(axis=(0, 1))
    return np.where(precision[0, 0] < 0, np.nan, means)
