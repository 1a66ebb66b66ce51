"""Label maps of PASCAL-Context: 59 classes and background, and all 459 classes."""

from collections import defaultdict
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
from faster_coco_eval.core import mask as rle

from openvocab.vocab.ignored_label import WORD_IGNORED
from openvocab.vocab.vocabulary import Vocabulary

from ..annotation_io import read_json, require_list, require_size
from ..segmentation.label_table import LabelTable
from .label_conversion import LabelConversion


class AllLabels(LabelConversion):
    """PASCAL-Context with 459 classes, from a ``.mat`` file: label = value - 1.

    0, no class, becomes 65535. No value is lost, in particular not 256, ``monkey``.
    """

    def labels(self) -> np.ndarray:
        """Reads the labels, (H, W) uint16."""
        from scipy.io import loadmat

        try:
            content = loadmat(self.source)
        except FileNotFoundError:
            raise FileNotFoundError(f'{self.source}: file not found') from None
        except Exception as error:  # scipy's reader lets many kinds through
            raise ValueError(
                f'not a readable .mat file ({type(error).__name__})'
            ) from None
        if 'LabelMap' not in content:
            raise ValueError('no LabelMap in this .mat file')
        values = np.asarray(content['LabelMap'])
        if values.ndim != 2 or values.dtype.kind not in 'iu':
            raise ValueError(
                'LabelMap has two axes and integers, this one is '
                f'{values.shape} {values.dtype}'
            )
        return _all_table().apply(values)


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
            known = isinstance(category, int) and not isinstance(category, bool)
            if not known or not 0 <= category < len(_frequent_labels()):
                raise ValueError(f'{self.target.stem}: unknown category id {category}')
            labels[self._mask(segment) > 0] = _frequent_labels()[category]
        return labels

    def _mask(self, segment: Any) -> np.ndarray:
        try:
            size = tuple(segment['size'])
            # before decoding: the array that it allocates has this size
            mask = rle.decode(segment) if size == self.shape else None
        except (KeyError, RuntimeError, TypeError, ValueError) as error:
            raise ValueError(
                f'{self.target.stem}: a segment is no run-length code '
                f'({type(error).__name__})'
            ) from None
        if mask is None or mask.shape != self.shape:
            raise ValueError(
                f'{self.target.stem}: a segment is {size}, the image is '
                f'{self.shape} (height, width)'
            )
        return mask


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
        for path in sorted(source.glob('[!.]*.mat'))
    ]


def frequent_conversions(
    source: Path, target: Path, phase: str
) -> list[LabelConversion]:
    """One conversion per image of ``trainval_merged.json`` in a phase.

    Args:
        source: The json.
        target: Folder of the label maps.
        phase: ``train`` or ``val``.

    Returns:
        The conversions, sorted by name.

    Raises:
        FileNotFoundError: The json is missing.
        ValueError: The json is corrupt or not of PASCAL-Context.
    """
    content = read_json(source)
    segments: dict[Any, list] = defaultdict(list)
    conversions = []
    try:
        for entry in require_list(content, 'annos_segmentation', source):
            segment = (entry['category_id'], entry['segmentation'])
            segments[entry['image_id']].append(segment)
        for image in require_list(content, 'images', source):
            if image['phase'] != phase:
                continue
            name = image['file_name']
            if not isinstance(name, str) or not Path(name).stem:
                raise ValueError(f'{source}: file_name {name!r} is no name')
            conversions.append(
                FrequentLabels(
                    source,
                    target / f'{Path(name).stem}.png',
                    require_size(image, name, source),
                    tuple(segments[image['image_id']]),
                )
            )
    except KeyError as error:
        raise ValueError(f'{source}: an entry lacks {error}') from None
    except TypeError as error:
        raise ValueError(f'{source}: an entry is malformed ({error})') from None
    return sorted(conversions, key=lambda conversion: conversion.target.name)
