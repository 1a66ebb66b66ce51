"""Intersections and unions per class, and what is averaged over them."""

from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor


def class_histograms(
    predicted: Tensor, labelled: Tensor, num_classes: int, ignore_index: int
) -> Tensor:
    """Counts pixels per class; pixels whose label is ignored count nowhere.

    Args:
        predicted: Integers below ``num_classes``, any shape.
        labelled: Integers below ``num_classes``, or ``ignore_index``; the same shape.
        num_classes: Number of classes, K.
        ignore_index: Label of ignored pixels.

    Returns:
        (3, K) int64: pixels in the intersection, predicted, labelled.

    Raises:
        ValueError: The shapes differ, or a value is no class.
    """
    if predicted.shape != labelled.shape:
        raise ValueError(
            f'the prediction is {tuple(predicted.shape)}, the label map '
            f'{tuple(labelled.shape)}'
        )
    counted = labelled != ignore_index
    predicted, labelled = predicted[counted].long(), labelled[counted].long()
    for values, what in ((predicted, 'prediction'), (labelled, 'label')):
        outside = (values < 0) | (values >= num_classes)
        if outside.any():
            raise ValueError(
                f'{what} {int(values[outside][0])} is none of the {num_classes} classes'
            )
    hits = labelled[predicted == labelled]
    return torch.stack(
        [torch.bincount(v, minlength=num_classes) for v in (hits, predicted, labelled)]
    )


@dataclass(frozen=True)
class ClassIoU:
    """Pixel counts of a whole data set.

    Attributes:
        intersection: (K,) pixels predicted and labelled as the class.
        predicted: (K,) pixels predicted as the class.
        labelled: (K,) pixels labelled as the class.
    """

    intersection: np.ndarray
    predicted: np.ndarray
    labelled: np.ndarray

    @property
    def union(self) -> np.ndarray:
        """(K,) pixels predicted or labelled as the class."""
        return self.predicted + self.labelled - self.intersection

    @property
    def iou(self) -> np.ndarray:
        """(K,) in percent; nan for a class that is neither labelled nor predicted."""
        with np.errstate(invalid='ignore'):
            return 100 * self.intersection / self.union

    def mean(self, chosen: np.ndarray) -> float | None:
        """Mean IoU of the chosen classes in percent, None if there is none.

        Args:
            chosen: (K,) bool; all of the chosen must have a union.
        """
        return float(self.iou[chosen].mean()) if chosen.any() else None

    def frequency_weighted(self) -> float:
        """IoU weighted by the labelled pixels of each class, in percent."""
        present = self.labelled > 0
        weights = self.labelled[present] / self.labelled.sum()
        return float((weights * self.iou[present]).sum())

    def pixel_accuracy(self) -> float:
        """Share of the labelled pixels that are predicted right, in percent."""
        return 100 * float(self.intersection.sum() / self.labelled.sum())
