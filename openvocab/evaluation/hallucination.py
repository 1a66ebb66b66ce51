"""Classes that a segmentation sees in images which do not show them."""

from collections.abc import Iterable

import numpy as np


def hallucinated_share(images: Iterable[np.ndarray]) -> float | None:
    """Share of the predicted classes that are absent from the image, in percent.

    Per image, of the classes that are predicted at any pixel with a label, those that
    no pixel has as its label; then the mean over images. Missing a class is no
    hallucination. What LoGoSeg's object prior is meant to lower; its paper shows
    pictures and gives no figure.

    Args:
        images: Per image (3, n) pixels of n classes: right, predicted, labelled, as
            :func:`class_histograms` counts them.

    Returns:
        The share; None if no image has a label.
    """
    shares = []
    for _, predicted, labelled in images:
        if labelled.any():
            absent = (predicted > 0) & (labelled == 0)
            shares.append(100 * absent.sum() / (predicted > 0).sum())
    return float(np.mean(shares)) if shares else None
