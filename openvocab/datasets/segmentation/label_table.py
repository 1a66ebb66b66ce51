"""From the values of a label file to class labels, without loss above 255."""

from collections import Counter
from collections.abc import Iterable, Sequence

import numpy as np

from openvocab.vocab.ignored_label import BYTE_IGNORED, WORD_IGNORED

# Larger than any label, smaller than the ignored value of 16-bit files.
_UNKNOWN = 65534


class LabelTable:
    """Look-up from the values of label files to labels.

    A value is a class, is ignored, or is an error; nothing is cast or wrapped.

    Args:
        file_values: The value that stands for label 0, 1, ... in the files.
        ignored_values: Values without a class.
        ignore_index: Label of ignored pixels.
        ignored_labels: Labels that become ``ignore_index`` (classes held out).

    Raises:
        ValueError: A value is given twice or does not fit into 16 bits.
    """

    def __init__(
        self,
        file_values: Sequence[int],
        ignored_values: Iterable[int],
        ignore_index: int,
        ignored_labels: Iterable[int] = (),
    ) -> None:
        self.ignore_index = ignore_index
        ignored = sorted({*ignored_values})
        values = [*file_values, *ignored]
        wrong = [value for value in values if not 0 <= value <= WORD_IGNORED]
        twice = [value for value, count in Counter(values).items() if count > 1]
        if wrong or twice:
            reason = 'is outside 0..65535' if wrong else 'is given twice'
            raise ValueError(f'value {(wrong or twice)[0]} of the label files {reason}')
        if len(file_values) > ignore_index:
            raise ValueError(
                f'ignore_index={ignore_index} would be one of the {len(file_values)} '
                'labels'
            )
        self._labels = np.full(WORD_IGNORED + 1, _UNKNOWN, np.uint16)
        self._labels[ignored] = ignore_index
        self._labels[list(file_values)] = np.arange(len(file_values), dtype=np.uint16)
        for label in ignored_labels:
            if label < len(file_values):
                self._labels[file_values[label]] = ignore_index

    def apply(self, values: np.ndarray) -> np.ndarray:
        """Maps the pixels of a label file.

        Args:
            values: (H, W) integers.

        Returns:
            (H, W) labels: uint8 if the ignored label is at most 255, else uint16 (the
            widest type that every OpenCV transform takes).

        Raises:
            ValueError: A pixel has a value that is neither a class nor ignored; the
                message lists such values.
        """
        if values.dtype not in (np.uint8, np.uint16):
            wrong = values[(values < 0) | (values > WORD_IGNORED)]
            if wrong.size:
                raise ValueError(f'value {wrong[0]} is not a label of 16 bits')
            values = values.astype(np.uint16)
        labels = self._labels[values]
        unknown = labels == _UNKNOWN
        if unknown.any():
            found = np.unique(values[unknown])
            shown = ', '.join(map(str, found[:5])) + (', ...' if len(found) > 5 else '')
            raise ValueError(
                f'value {shown} ({int(unknown.sum())} pixels) is neither a class of '
                'the vocabulary nor an ignored value'
            )
        return labels.astype(np.uint8) if self.ignore_index <= BYTE_IGNORED else labels
