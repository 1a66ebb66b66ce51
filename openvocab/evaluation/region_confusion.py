"""Which regions are taken for which: the whole matrix behind the accuracies."""

from typing import Any

import numpy as np

from openvocab.registry import METRICS

from .region_accuracy import RegionAccuracy


@METRICS.register_module()
class RegionConfusion(RegionAccuracy):
    """:class:`RegionAccuracy` that also keeps the confusion of all classes.

    Args:
        kind: Regions read through their ``masks`` (default), ``boxes`` or ``crops``.
        **kwargs: Arguments of the parent.

    Attributes:
        matrix: After ``evaluate``, on the main process: (K, K) int64, regions of class
            i (row) that are named j (column).
    """

    def __init__(self, kind: str = 'masks', **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.kind = kind
        self.matrix = np.zeros((0, 0), np.int64)

    def compute_metrics(self, results: list) -> dict[str, float]:
        """Computes the parent's metrics and the matrix.

        Raises:
            ValueError: No regions of that kind were predicted.
        """
        classes = len(self._classes()[0])
        self.matrix = np.zeros((classes, classes), np.int64)
        for scored in self.unique_images(results):
            if self.kind in scored:
                labels, topk = scored[self.kind]
                np.add.at(self.matrix, (labels, topk[:, 0]), 1)
        if not self.matrix.any():
            raise ValueError(f'RegionConfusion: no region was read through {self.kind}')
        return super().compute_metrics(results)


def group_confusion(
    matrix: np.ndarray, groups: list[str]
) -> tuple[list[str], np.ndarray]:
    """Sums a confusion over groups of classes.

    Args:
        matrix: (K, K) regions.
        groups: K names of groups.

    Returns:
        G names, in order of appearance, and (G, G) shares of each row, in percent;
        rows without regions are nan.
    """
    names = list(dict.fromkeys(groups))
    member = np.array([[group == name for group in groups] for name in names], float)
    counts = member @ matrix @ member.T
    with np.errstate(invalid='ignore'):
        return names, 100 * counts / counts.sum(axis=1, keepdims=True)
