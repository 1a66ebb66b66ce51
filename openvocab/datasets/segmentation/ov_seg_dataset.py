"""Images with semantic label maps, for any vocabulary."""

from collections.abc import Mapping, Sequence
from typing import Any

from mmseg.datasets import BaseSegDataset

from openvocab.registry import DATASETS
from openvocab.vocab.ignored_label import default_ignore_index
from openvocab.vocab.vocabulary import Vocabulary

from ..annotation_io import require_folder
from .label_table import LabelTable


@DATASETS.register_module()
class OVSegDataset(BaseSegDataset):
    """Images and label maps whose classes are those of a vocabulary.

    Label files are 8- or 16-bit single-channel images (png, tif). Label = position in
    the vocabulary. A value that is neither a class nor ignored is an error when the
    file is loaded (by :class:`LoadOVAnnotations`, which must stand in the pipeline):
    it is neither wrapped nor silently ignored.

    The label of ignored pixels is 255, or 65535 in vocabularies of more than 255
    classes, where 255 is a class; it is also in the metainfo, as ``ignore_index``.

    Args:
        vocabulary: Anything :meth:`Vocabulary.load` takes.
        label_vocabulary: The vocabulary of the label files where it is another, such as
            the whole of which ``vocabulary`` is a subset. Classes are found by name;
            pixels of those that ``vocabulary`` lacks are ignored.
        splits: Splits whose classes keep their pixels, e.g. ``('base', 'seen')`` for
            training; the pixels of all other classes are ignored, which makes them
            negatives for CAT-Seg's loss. Labels and metainfo stay those of the whole
            vocabulary. None keeps all: our segmentors hold novel and unseen classes
            out of training themselves.
        file_values: The value that stands for class 0, 1, ... of the label vocabulary
            in the files; by default the position itself. May be shorter than the
            vocabulary: raw Pascal VOC with the background last is ``[1, ..., 20, 0]``.
        ignored_values: Values of the files that have no class, besides 255 (65535 if
            the label vocabulary has more than 255 classes).
        reduce_zero_label: Short for ``file_values=[1, ..., K], ignored_values=[0]``.
        ignore_index: Label of ignored pixels, None for the one said above.
        metainfo: Entries override those of the vocabulary.
        **kwargs: Arguments of mmseg's :class:`BaseSegDataset`.

    Raises:
        FileNotFoundError: A folder is missing.
        ValueError: There are no images, or the values contradict each other.
        VocabularyError: ``splits`` names a split that no class has, or the label
            vocabulary lacks a class.
    """

    def __init__(
        self,
        vocabulary: Any,
        label_vocabulary: Any = None,
        splits: Sequence[str] | None = None,
        file_values: Sequence[int] | None = None,
        ignored_values: Sequence[int] = (),
        reduce_zero_label: bool = False,
        ignore_index: int | None = None,
        metainfo: Mapping[str, Any] | None = None,
        **kwargs: Any,
    ) -> None:
        self.vocabulary = Vocabulary.load(vocabulary)
        written = Vocabulary.load(label_vocabulary or self.vocabulary)
        classes = len(written)
        if ignore_index is None:
            ignore_index = default_ignore_index(len(self.vocabulary))
        if reduce_zero_label:
            if file_values is not None:
                raise ValueError('give either file_values or reduce_zero_label')
            file_values, ignored_values = range(1, classes + 1), (0, *ignored_values)
        elif file_values is None:
            file_values = range(classes)
        if len(file_values) > classes:
            raise ValueError(
                f'file_values has {len(file_values)} entries, vocabulary '
                f'{written.name!r} only {classes} classes'
            )
        if label_vocabulary is not None:
            kept = [file_values[written.index(name)] for name in self.vocabulary.names]
            ignored_values = (*ignored_values, *sorted({*file_values} - {*kept}))
            file_values = kept
        unlabelled = {default_ignore_index(classes)} - {*file_values}
        self.label_table = LabelTable(
            file_values,
            {*ignored_values} | unlabelled,
            ignore_index,
            self._held_out(splits),
        )
        super().__init__(
            metainfo={
                **self.vocabulary.metainfo(),
                'ignore_index': ignore_index,
                **(metainfo or {}),
            },
            ignore_index=ignore_index,
            reduce_zero_label=reduce_zero_label,
            **kwargs,
        )

    def _held_out(self, splits: Sequence[str] | None) -> list[int]:
        """Labels whose class is in none of the splits."""
        if splits is None:
            return []
        chosen = self.vocabulary.in_splits(splits)
        return [label for label, trained in enumerate(chosen) if not trained]

    def load_data_list(self) -> list[dict[str, Any]]:
        """Lists images and label files; called once by ``full_init``."""
        if self.backend_args is None:
            for key, role in (('img_path', 'image'), ('seg_map_path', 'label')):
                if self.data_prefix.get(key):
                    require_folder(self.data_prefix[key], role)
        items = super().load_data_list()
        if not items:
            raise ValueError(
                f'no image *{self.img_suffix} in {self.data_prefix.get("img_path")}'
            )
        return items

    def get_data_info(self, idx: int) -> dict[str, Any]:
        """Adds the look-up table, which is shared rather than stored per image."""
        return {**super().get_data_info(idx), 'label_table': self.label_table}
