"""Preparing label maps from the archives of data sets, and counting what is in them."""

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

import numpy as np

from ..label_image import decode_label_image, write_label_image

_CHUNK = 16


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
            ValueError: The file is corrupt or holds an unknown class.
        """

    def write(self) -> np.ndarray:
        """Writes the label map, whole or not at all, and returns it."""
        labels = self.labels()
        write_label_image(self.target, labels)
        return labels

    def read_source(self) -> np.ndarray:
        """The values of ``source``, where that is a single-channel image."""
        return decode_label_image(self.source.read_bytes())


@dataclass
class LabelCounts:
    """How often each class occurs in label maps.

    Attributes:
        num_classes: Number of classes K.
        ignore_index: Label of pixels without a class.
        images: Label maps counted.
        pixels: (K,) pixels of each class.
        images_with: (K,) label maps in which each class occurs.
        ignored: Pixels without a class.
    """

    num_classes: int
    ignore_index: int
    images: int = 0
    ignored: int = 0
    pixels: np.ndarray = field(init=False)
    images_with: np.ndarray = field(init=False)

    def __post_init__(self) -> None:
        self.pixels = np.zeros(self.num_classes, np.int64)
        self.images_with = np.zeros(self.num_classes, np.int64)

    def add(self, histogram: np.ndarray) -> None:
        """Adds one label map, given the pixels of label 0, 1, ...

        Raises:
            ValueError: A label is neither a class nor ignored.
        """
        (labels,) = np.nonzero(histogram)
        for label in labels[labels >= self.num_classes]:
            if label != self.ignore_index:
                raise ValueError(f'label {label} is none of {self.num_classes} classes')
            self.ignored += int(histogram[label])
        counts = np.zeros(self.num_classes, np.int64)
        counts[: len(histogram)] = histogram[: self.num_classes]
        self.images += 1
        self.pixels += counts
        self.images_with += counts > 0

    @property
    def classes_present(self) -> int:
        """Number of classes that occur."""
        return int((self.pixels > 0).sum())

    @property
    def ignored_share(self) -> float:
        """Share of the pixels without a class."""
        total = self.ignored + int(self.pixels.sum())
        return self.ignored / total if total else 0.0


def convert_labels(
    conversions: Sequence[LabelConversion],
    counts: LabelCounts,
    dry_run: bool = False,
    workers: int = 0,
    progress: Callable[[int], None] | None = None,
) -> LabelCounts:
    """Prepares label maps and counts their classes.

    Args:
        conversions: What to prepare.
        counts: Is added to.
        dry_run: Read and count, but write nothing.
        workers: Processes; 0 works in this one.
        progress: Called with the number of label maps that are done.

    Returns:
        ``counts``.

    Raises:
        ValueError: A file cannot be converted; the message names it.
    """
    run = partial(_histogram, dry_run=dry_run)
    if workers:
        with ProcessPoolExecutor(workers) as pool:
            done: Iterable[np.ndarray] = pool.map(run, conversions, chunksize=_CHUNK)
            return _collect(done, counts, progress)
    return _collect(map(run, conversions), counts, progress)


def _histogram(conversion: LabelConversion, dry_run: bool) -> np.ndarray:
    try:
        labels = conversion.labels() if dry_run else conversion.write()
    except ValueError as error:
        raise ValueError(f'{conversion.source}: {error}') from None
    return np.bincount(labels.reshape(-1))


def _collect(
    histograms: Iterable[np.ndarray],
    counts: LabelCounts,
    progress: Callable[[int], None] | None,
) -> LabelCounts:
    for number, histogram in enumerate(histograms, start=1):
        counts.add(histogram)
        if progress is not None:
            progress(number)
    return counts
