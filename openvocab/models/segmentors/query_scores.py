"""Class scores of an image from the cosines of several queries per class.

The probability of a query at a pixel is a softmax over all queries; that of a class is
the largest of its queries'. No map of all queries ever exists at full size: the best
query is a running maximum of cosines, the softmax's denominator a running sum.

Shapes: Q queries, K classes, H x W the size wanted.
"""

import torch
from torch import Tensor

from .class_scores import TILE, ClassScores, LabelMap


class QueryScores(ClassScores):
    """Classes of one image by their best queries.

    Args:
        cosines: Scores of the Q queries, cosines.
        class_of: (Q,) int64, the class of each query, rising.
        logit_scale: Factor on cosines in the softmax.
        area_thd: Classes other than ``background`` that are best on no larger share of
            the pixels of all such classes are left out; None keeps every class.
        background: Class that is never left out.
        with_probabilities: Let the scores of label maps be probabilities; otherwise
            they are cosines, for half of the work.
    """

    def __init__(
        self,
        cosines: ClassScores,
        class_of: Tensor,
        logit_scale: float,
        area_thd: float | None = None,
        background: int | None = None,
        with_probabilities: bool = True,
    ) -> None:
        self.cosines = cosines
        self.class_of = class_of
        self.logit_scale = logit_scale
        self.area_thd = area_thd
        self.background = background
        self.with_probabilities = with_probabilities
        self.num_classes = int(class_of.max()) + 1
        self.canvas = cosines.canvas

    def at(self, classes: slice, size: tuple[int, int]) -> Tensor:
        """Probabilities of some classes, whatever their area."""
        chosen = range(self.num_classes)[classes]
        best = torch.stack([self._best_cosine(index, size) for index in chosen])
        return self._probabilities(best, size, TILE)

    def label_map(self, size: tuple[int, int], tile: int = TILE) -> LabelMap:
        """Best class of every pixel; the first one where several are equal."""
        found = self.cosines.label_map(size, tile)
        if self.area_thd is not None:
            small = self._small(self.class_of[found.labels])
            kept = _Without(self.cosines, small[self.class_of])
            found = kept.label_map(size, tile)
        scores = found.scores
        if self.with_probabilities:
            scores = self._probabilities(scores, size, tile)
        return LabelMap(self.class_of[found.labels], scores)

    def _best_cosine(self, index: int, size: tuple[int, int]) -> Tensor:
        (queries,) = (self.class_of == index).nonzero(as_tuple=True)
        rows = slice(int(queries[0]), int(queries[-1]) + 1)
        return self.cosines.at(rows, size).amax(dim=0)

    def _probabilities(
        self, cosines: Tensor, size: tuple[int, int], tile: int
    ) -> Tensor:
        """Probabilities (.., H, W) of cosines (.., H, W) among those of all queries."""
        total = None
        for queries in self.cosines.tiles(size, tile):
            logits = self.logit_scale * self.cosines.at(queries, size)
            part = logits.logsumexp(dim=0)
            total = part if total is None else torch.logaddexp(total, part)
        return (self.logit_scale * cosines - total).exp()

    def _small(self, labels: Tensor) -> Tensor:
        """Which classes cover too little, (K,) bool."""
        area = torch.bincount(labels.flatten(), minlength=self.num_classes)
        area[self.background] = 0
        small = area <= self.area_thd * area.sum()
        small[self.background] = False
        return small


class _Without(ClassScores):
    """Scores in which some queries can never be best.

    Args:
        scores: Scores of Q queries.
        left_out: (Q,) bool.
    """

    def __init__(self, scores: ClassScores, left_out: Tensor) -> None:
        self.scores = scores
        self.left_out = left_out
        self.num_classes = scores.num_classes
        self.canvas = scores.canvas

    def at(self, classes: slice, size: tuple[int, int]) -> Tensor:
        """Scores of some queries."""
        scores = self.scores.at(classes, size)
        return scores.masked_fill(self.left_out[classes, None, None], -torch.inf)
