"""COCO- and LVIS-style detection annotation whose categories are looked up by name."""

import math
from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any
from urllib.parse import urlsplit

from openvocab.vocab.vocabulary import Vocabulary

from .annotation_io import read_json, require_list
from .categories import ENTRY_IDS, category_labels, entry_id


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
        or position, so a permuted file and one with fewer categories are read alike.

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
            require_list(content, key, path)
        labels = category_labels(content['categories'], vocabulary, path, drop_unknown)
        return cls(str(path), content, vocabulary, labels)

    def relabelled(
        self, vocabulary: Vocabulary, drop_unknown: Any = None
    ) -> 'DetectionJson':
        """The same content with the labels of another vocabulary, as :meth:`load`."""
        categories = self.content['categories']
        labels = category_labels(categories, vocabulary, self.path, drop_unknown)
        return DetectionJson(self.path, self.content, vocabulary, labels)

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
            if entry_id(image, 'image', position, self.path) in by_image:
                raise ValueError(f'{self.path}: image {image["id"]} is listed twice')
            by_image[image['id']] = []
        seen: set[Hashable] = set()
        for position, annotation in enumerate(self.content['annotations']):
            number = entry_id(annotation, 'annotation', position, self.path)
            image, category = annotation.get('image_id'), annotation.get('category_id')
            if number in seen:
                raise ValueError(f'{self.path}: annotation {number} is listed twice')
            seen.add(number)
            if not isinstance(image, ENTRY_IDS) or image not in by_image:
                raise ValueError(
                    f'{self.path}: annotation {number} is of image {image}, which is '
                    'not listed'
                )
            known = isinstance(category, ENTRY_IDS) and category in self._category_ids
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
        chosen = self.vocabulary.in_splits(splits)
        return frozenset(i for i, label in self.labels.items() if chosen[label])


def image_name(image: Mapping[str, Any], path: str) -> str:
    """Path of an image: its ``file_name``, or for LVIS the end of its ``coco_url``.

    Raises:
        ValueError: The entry has neither.
    """
    name = image.get('file_name')
    if name is None:
        url = image.get('coco_url')
        name = urlsplit(url).path.lstrip('/') if isinstance(url, str) else None
    if not isinstance(name, str) or not name:
        raise ValueError(
            f'{path}: image {image["id"]} has neither a file_name nor a coco_url'
        )
    return name


def check_box(annotation: Mapping[str, Any], path: str) -> None:
    """Looks at the box and the area of an annotation.

    Raises:
        ValueError: The box is not of four finite numbers, or there is no area.
    """
    try:
        x, y, width, height = annotation['bbox']
        valid = math.isfinite(x + y + width + height + annotation['area'])
    except (KeyError, TypeError, ValueError, OverflowError):
        valid = False
    if not valid:
        raise ValueError(
            f'{path}: annotation {annotation["id"]} needs a bbox of four numbers and '
            f'an area, got bbox {annotation.get("bbox")!r} and area '
            f'{annotation.get("area")!r}'
        )
