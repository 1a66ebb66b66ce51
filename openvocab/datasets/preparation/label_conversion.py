"""One label map: from the file of an archive to the file that configs read."""

from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import numpy as np

from openvocab.vocab.ignored_label import default_ignore_index
from openvocab.vocab.vocabulary import Vocabulary

from ..label_image import decode_label_image, write_label_image
from ..segmentation.label_counts import LabelCounts
from ..segmentation.label_table import LabelTable
from .pictures import require_whole


@dataclass(frozen=True)
class LabelFiles:
    """What the values of label files mean.

    Attributes:
        vocabulary: Name of the vocabulary that the labels index.
        file_values: Value of class 0, 1, ...; empty for the positions themselves.
        ignored_values: Values without a class, besides 255 (65535).
    """

    vocabulary: str
    file_values: tuple[int, ...] = ()
    ignored_values: tuple[int, ...] = ()

    def read(self, path: Path) -> np.ndarray:
        """Reads labels, (H, W) uint8 or uint16.

        Raises:
            FileNotFoundError: The file is missing.
            ValueError: It is no label image, or has a value that is no class.
        """
        try:
            content = path.read_bytes()
        except FileNotFoundError:
            raise FileNotFoundError(f'{path}: label file not found') from None
        try:
            labels = _table(self).apply(decode_label_image(content))
        except ValueError as error:
            raise ValueError(f'{path}: {error}') from None
        require_whole(path)
        return labels

    def empty_counts(self) -> LabelCounts:
        """Counts of the classes, all zero."""
        classes = len(Vocabulary.load(self.vocabulary))
        return LabelCounts(classes, default_ignore_index(classes))


@cache
def _table(files: LabelFiles) -> LabelTable:
    classes = len(Vocabulary.load(files.vocabulary))
    values: Sequence[int] = files.file_values or range(classes)
    ignore_index = default_ignore_index(classes)
    ignored = {*files.ignored_values} | ({ignore_index} - {*values})
    return LabelTable(values, ignored, ignore_index)


@dataclass(frozen=True)
class LabelConversion(ABC):
    """One label map to prepare.

    Attributes:
        source: The file of the archive.
        target: The png to write.
    """

    source: Path
    target: Path

    @abstractmethod
    def labels(self) -> np.ndarray:
        """Reads the labels: (H, W) uint8 or uint16.

        Raises:
            FileNotFoundError: The file is missing.
            ValueError: The file is corrupt or holds an unknown class.
        """

    def write(self) -> np.ndarray:
        """Writes the label map, whole or not at all, and returns it."""
        labels = self.labels()
        write_label_image(self.target, labels)
        return labels

    def pairs(self) -> list[tuple[Path, Path]]:
        """Every file that is read, with the one that is written from it."""
        return [(self.source, self.target)]

    def is_done(self) -> bool:
        """Whether every file is written and not older than what it is written from."""
        return all(is_newer(target, source) for source, target in self.pairs())


def is_newer(target: Path, source: Path) -> bool:
    """Whether ``target`` exists and was written after ``source``."""
    try:
        return target.stat().st_mtime_ns >= source.stat().st_mtime_ns
    except FileNotFoundError:
        return False


def convert(
    conversion: LabelConversion, files: LabelFiles, dry_run: bool
) -> tuple[np.ndarray, bool]:
    """Prepares one label map, unless it is there.

    A map that is there is read, so that a damaged one is found and written anew.

    Args:
        conversion: What to prepare.
        files: What the values of the written file mean.
        dry_run: Read, but write nothing.

    Returns:
        Pixels of label 0, 1, ..., and whether the map was converted.

    Raises:
        FileNotFoundError: A source is missing.
        ValueError: The source cannot be converted; the message names it.
    """
    if conversion.is_done():
        try:
            return np.bincount(files.read(conversion.target).reshape(-1)), False
        except ValueError:
            pass  # damaged: written anew below
    try:
        labels = conversion.labels() if dry_run else conversion.write()
    except ValueError as error:
        message = str(error)
        if str(conversion.source) not in message:
            message = f'{conversion.source}: {message}'
        raise ValueError(message) from None
    return np.bincount(labels.reshape(-1)), True
