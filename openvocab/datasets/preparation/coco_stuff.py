"""Label maps of COCO-Stuff and COCO-Object, both from ``stuffthingmaps``."""

from functools import cache
from pathlib import Path

import numpy as np

from openvocab.vocab.vocabulary import Vocabulary

from .label_conversion import LabelConversion, LabelFiles

_THINGS = 80


@cache
def _values() -> LabelFiles:
    """Official category id - 1 (0..181 with gaps), 255 for pixels without a class."""
    classes = Vocabulary.load('coco_stuff_171').classes
    return LabelFiles('coco_stuff_171', tuple(entry.id - 1 for entry in classes))


class StuffLabels(LabelConversion):
    """COCO-Stuff: official category id - 1 (0..181 with gaps, 255) to label 0..170."""

    def labels(self) -> np.ndarray:
        """Reads the labels, (H, W) uint8."""
        return _values().read(self.source)


class ObjectLabels(LabelConversion):
    """COCO-Object: the 80 things are 1..80, everything else is 0, background.

    Pixels without a label count as background too, as in the public code of SCLIP and
    others, so that nothing is ignored.
    """

    def labels(self) -> np.ndarray:
        """Reads the labels, (H, W) uint8."""
        labels = _values().read(self.source)
        return np.where(labels < _THINGS, labels + 1, 0).astype(np.uint8)


def stuff_conversions(
    kind: type[LabelConversion], source: Path, target: Path
) -> list[LabelConversion]:
    """One conversion per png of a folder such as ``stuffthingmaps/val2017``."""
    return [kind(path, target / path.name) for path in sorted(source.glob('[!.]*.png'))]
