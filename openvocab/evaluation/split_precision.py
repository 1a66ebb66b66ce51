"""Means of per-class average precision over the splits of a vocabulary."""

from collections.abc import Collection, Sequence

import numpy as np

from .coco_average_precision import ClassPrecision

# LVIS: rare classes are held out, common and frequent ones are trained on.
_FREQUENCIES = ('r', 'c', 'f')
_LVIS_SPLITS = dict(base=('c', 'f'), novel=('r',))


def mean_precision(
    classes: ClassPrecision, splits: Sequence[str | None], iou_type: str
) -> dict[str, float]:
    """Averages over all classes and over each split, classes without AP left out.

    Args:
        classes: AP per class, (K,) each.
        splits: Split of every class, or None.
        iou_type: First part of the names.

    Returns:
        Names as in :class:`OVDetMetric` -> percent; nan for a mean over no class.
    """
    means = {
        f'{iou_type}_{name}': _mean(values)
        for name, values in classes._asdict().items()
    }

    def over(values: np.ndarray, chosen: Collection[str]) -> float:
        return _mean(values[[split in chosen for split in splits]])

    occurring = [split for split in dict.fromkeys(splits) if split is not None]
    for split in occurring:
        if split in _FREQUENCIES:
            means[f'{iou_type}_ap{split}'] = over(classes.ap, (split,))
        else:
            means[f'{iou_type}_ap_{split}'] = over(classes.ap, (split,))
            means[f'{iou_type}_ap50_{split}'] = over(classes.ap50, (split,))
    if any(split in _FREQUENCIES for split in occurring):
        for name, members in _LVIS_SPLITS.items():
            means[f'{iou_type}_ap50_{name}'] = over(classes.ap50, members)
    return means


def _mean(values: np.ndarray) -> float:
    known = values[~np.isnan(values)]
    return float(known.mean()) if len(known) else float('nan')
