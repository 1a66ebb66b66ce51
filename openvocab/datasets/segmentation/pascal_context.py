"""Label maps of PASCAL-Context: 59 classes and background, and all 459 classes."""

from collections import defaultdict
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
from faster_coco_eval.core import mask as rle

from openvocab.fileio import write_atomically
from openvocab.vocab.ignored_label import WORD_IGNORED
from openvocab.vocab.vocabulary import Vocabulary

from ..annotation_io import read_json, require_key
from .conversion import LabelConversion
from .label_table import LabelTable


class AllLabels(LabelConversion):
    """PASCAL-Context with 459 classes, from a ``.mat`` file: label = value - 1.

    0, no class, becomes 65535. No value is lost, in particular not 256, ``monkey``.
    """

    def labels(self) -> np.ndarray:
        """Reads the labels, (H, W) uint16."""
        from scipy.io import loadmat

        content = loadmat(self.source)
        if 'LabelMap' not in content:
            raise ValueError('no LabelMap in this .mat file')
        return _all_table().apply(content['LabelMap'])


@dataclass(frozen=True)
class FrequentLabels(LabelConversion):
    """PASCAL-Context with 59 classes: 1..59, everything else 0, background.

    Attributes:
        shape: Height and width of the image.
        segments: Category id and RLE of each segment; a later one covers earlier ones.
    """

    shape: tuple[int, int]
    segments: tuple[tuple[int, dict[str, Any]], ...]

    def labels(self) -> np.ndarray:
        """Paints the labels, (H, W) uint8."""
        labels = np.zeros(self.shape, np.uint8)
        for category, segment in self.segments:
            if not 0 <= category < len(_frequent_labels()):
                raise ValueError(f'{self.target.stem}: unknown category id {category}')
            mask = rle.decode(segment)
            if mask.shape != self.shape:
                raise ValueError(
                    f'{self.target.stem}: a segment is {mask.shape}, the image is '
                    f'{self.shape} (height, width)'
                )
            labels[mask > 0] = _frequent_labels()[category]
        return labels


@cache
def _all_table() -> LabelTable:
    values = [entry.id for entry in Vocabulary.load('pascal_context_459').classes]
    return LabelTable(values, [0], WORD_IGNORED)


@cache
def _frequent_labels() -> np.ndarray:
    """Label of each of the category ids 0..459."""
    labels = np.zeros(460, np.uint8)
    for label, entry in enumerate(Vocabulary.load('pascal_context_60').classes):
        labels[entry.id] = label
    return labels


def all_conversions(source: Path, target: Path) -> list[LabelConversion]:
    """One conversion per ``.mat`` of the unpacked ``trainval.tar.gz``."""
    return [
        AllLabels(path, target / f'{path.stem}.png')
        for path in sorted(source.glob('*.mat'))
    ]


def frequent_conversions(
    source: Path, target: Path
) -> dict[str, list[LabelConversion]]:
    """One conversion per image of ``trainval_merged.json``.

    Args:
        source: The json.
        target: Folder of the label maps.

    Returns:
        Phase (``train``, ``val``) -> conversions, sorted by name.

    Raises:
        ValueError: The json is corrupt or not of PASCAL-Context.
    """
    content = read_json(source)
    segments = defaultdict(list)
    try:
        for entry in require_key(content, 'annos_segmentation', source):
            segment = (entry['category_id'], entry['segmentation'])
            segments[entry['image_id']].append(segment)
        phases = defaultdict(list)
        for image in require_key(content, 'images', source):
            conversion = FrequentLabels(
                source,
                target / f'{Path(image["file_name"]).stem}.png',
                (image['height'], image['width']),
                tuple(segments[image['image_id']]),
            )
            phases[image['phase']].append(conversion)
    except KeyError as error:
        raise ValueError(f'{source}: an entry lacks {error}') from None
    return {
        phase: sorted(conversions, key=lambda c: c.target.name)
        for phase, conversions in sorted(phases.items())
    }


def write_image_list(path: Path, conversions: list[LabelConversion]) -> None:
    """Writes the names of the images, one a line, as mmseg reads them."""
    lines = ''.join(f'{conversion.target.stem}\n' for conversion in conversions)
    write_atomically(path, lines.encode())
