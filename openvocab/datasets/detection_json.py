"""COCO- and LVIS-style detection annotation whose categories are looked up by name."""

from collections.abc import Hashable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from mmengine.logging import print_log

from openvocab.vocab.class_entry import UnknownClassError, VocabularyError
from openvocab.vocab.vocabulary import Vocabulary

from .annotation_io import read_json, require_key

_IDS = (int, str)
_SHOWN = 8


@dataclass(frozen=True)
class DetectionJson:
    """A decoded annotation file and what its categories mean.

    Attributes:
        path: The file, for messages.
        content: The decoded file: ``images``, ``annotations``, ``categories``, ...
        vocabulary: The classes that labels index.
        labels: Category id -> label, for the categories that are in the vocabulary.
    """

    path: str
    content: Mapping[str, Any]
    vocabulary: Vocabulary
    labels: Mapping[int, int]

    @classmethod
    def load(
        cls, path: str, vocabulary: Vocabulary, drop_unknown: Any = None
    ) -> 'DetectionJson':
        """Reads a file, official or derived.

        Categories are found by name or synonym (:meth:`Vocabulary.index`), never by id
        or position, so a permuted file and one with fewer categories are read alike;
        classes that the file lacks are logged in one line.

        Args:
            path: The json.
            vocabulary: The classes that labels index.
            drop_unknown: Names of the categories outside the vocabulary that are left
                out on purpose: a list, or anything else :meth:`Vocabulary.load` takes.

        Raises:
            FileNotFoundError: The file does not exist.
            ValueError: It is no such json, or an entry of it is corrupt (the message
                names the entry).
            UnknownClassError: A category is neither in the vocabulary nor dropped.
        """
        content = read_json(path)
        for key in ('images', 'annotations', 'categories'):
            if not isinstance(require_key(content, key, path), list):
                raise ValueError(f"{path}: '{key}' is not a list")
        dropped = Vocabulary.load(drop_unknown) if drop_unknown else None
        labels = _labels(content['categories'], vocabulary, dropped, path)
        return cls(str(path), content, vocabulary, labels)

    @property
    def images(self) -> list[dict[str, Any]]:
        """The images, in the order of the file."""
        return self.content['images']

    @cached_property
    def _category_ids(self) -> frozenset[int]:
        return frozenset(category['id'] for category in self.content['categories'])

    def annotations_of(
        self, splits: Sequence[str] | None = None
    ) -> dict[Hashable, list[dict[str, Any]]]:
        """Chooses annotations, grouped by image.

        Args:
            splits: Splits of the vocabulary whose annotations are kept, such as
                ``('base',)`` or ``('c', 'f')``; None keeps all of its classes.

        Returns:
            dict: Id of every image -> its annotations (crowds included), in the order
            of the file.

        Raises:
            VocabularyError: The vocabulary has no such split.
            ValueError: An entry is corrupt; the message names it.
        """
        kept = self.category_ids_of(splits)
        by_image: dict[Hashable, list[dict[str, Any]]] = {}
        for position, image in enumerate(self.images):
            if _entry_id(image, 'image', position, self.path) in by_image:
                raise ValueError(f'{self.path}: image {image["id"]} is listed twice')
            by_image[image['id']] = []
        seen: set[Hashable] = set()
        for position, annotation in enumerate(self.content['annotations']):
            number = _entry_id(annotation, 'annotation', position, self.path)
            image, category = annotation.get('image_id'), annotation.get('category_id')
            if number in seen:
                raise ValueError(f'{self.path}: annotation {number} is listed twice')
            seen.add(number)
            if not isinstance(image, _IDS) or image not in by_image:
                raise ValueError(
                    f'{self.path}: annotation {number} is of image {image}, which is '
                    'not listed'
                )
            known = isinstance(category, _IDS) and category in self._category_ids
            if not known:
                raise ValueError(
                    f'{self.path}: annotation {number} has the undefined category id '
                    f'{category}'
                )
            if category in kept:
                by_image[image].append(annotation)
        return by_image

    def category_ids_of(self, splits: Sequence[str] | None = None) -> frozenset[int]:
        """Ids of the categories in the vocabulary, or in some splits of it."""
        if splits is None:
            return frozenset(self.labels)
        known = {split for split in self.vocabulary.splits if split is not None}
        for split in splits:
            if split not in known:
                raise VocabularyError(
                    f'vocabulary {self.vocabulary.name!r} has no split {split!r}; '
                    f'it has {", ".join(sorted(known)) or "none"}'
                )
        split_of = self.vocabulary.splits
        return frozenset(i for i, k in self.labels.items() if split_of[k] in splits)


def _labels(
    categories: Iterable[Mapping[str, Any]],
    vocabulary: Vocabulary,
    dropped: Vocabulary | None,
    path: str,
) -> dict[int, int]:
    labels: dict[int, int] = {}
    ids = set()
    for position, category in enumerate(categories):
        number = _entry_id(category, 'category', position, path)
        name = category.get('name')
        if number in ids or not isinstance(name, str):
            problem = 'is listed twice' if number in ids else 'has no name'
            raise ValueError(f'{path}: category {number} {problem}')
        ids.add(number)
        try:
            labels[number] = vocabulary.index(name)
        except UnknownClassError:
            if dropped is None or not _has(dropped, name):
                raise UnknownClassError(
                    f'{path}: category {name!r} is not in the vocabulary '
                    f'{vocabulary.name!r}; name it in drop_unknown to leave it out'
                ) from None
    absent = set(range(len(vocabulary))).difference(labels.values())
    if absent:
        names = [vocabulary.names[label] for label in sorted(absent)]
        more = f' and {len(names) - _SHOWN} more' if len(names) > _SHOWN else ''
        print_log(
            f'{path}: no category for {len(names)} of the {len(vocabulary)} classes of '
            f'{vocabulary.name!r}: {", ".join(names[:_SHOWN])}{more}',
            logger='current',
        )
    return labels


def _has(vocabulary: Vocabulary, name: str) -> bool:
    try:
        vocabulary.index(name)
    except UnknownClassError:
        return False
    return True


def _entry_id(entry: Any, kind: str, position: int, path: str) -> Hashable:
    number = entry.get('id') if isinstance(entry, Mapping) else None
    if not isinstance(number, _IDS):
        raise ValueError(f'{path}: {kind} at position {position} has no id: {entry!r}')
    return number
