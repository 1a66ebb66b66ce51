"""Label maps of COCO-Stuff and COCO-Object, both from ``stuffthingmaps``."""

from functools import cache
from pathlib import Path

import numpy as np

from openvocab.vocab.ignored_label import BYTE_IGNORED
from openvocab.vocab.vocabulary import Vocabulary

from .conversion import LabelConversion
from .label_table import LabelTable

_THINGS = 80


class StuffLabels(LabelConversion):
    """COCO-Stuff: official category id - 1 (0..181 with gaps, 255) to label 0..170."""

    def labels(self) -> np.ndarray:
        """Reads the labels, (H, W) uint8."""
        return _stuff_table().apply(self.read_source())


class ObjectLabels(LabelConversion):
    """COCO-Object: the 80 things are 1..80, everything else is 0, background.

    Pixels without a label count as background too, as in the public code of SCLIP and
    others, so that nothing is ignored.
    """

    def labels(self) -> np.ndarray:
        """Reads the labels, (H, W) uint8."""
        labels = _stuff_table().apply(self.read_source())
        return np.where(labels < _THINGS, labels + 1, 0).astype(np.uint8)


@cache
def _stuff_table() -> LabelTable:
    values = [entry.id - 1 for entry in Vocabulary.load('coco_stuff_171').classes]
    return LabelTable(values, [BYTE_IGNORED], BYTE_IGNORED)


def stuff_conversions(
    kind: type[LabelConversion], source: Path, target: Path
) -> list[LabelConversion]:
    """One conversion per png of a folder such as ``stuffthingmaps/val2017``."""
    return [kind(path, target / path.name) for path in sorted(source.glob('*.png'))]
