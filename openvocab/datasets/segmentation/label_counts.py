"""Counting the classes of label maps."""

from dataclasses import dataclass, field

import numpy as np


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
