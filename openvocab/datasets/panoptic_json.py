"""COCO-style panoptic annotation whose categories are looked up by name."""

from collections.abc import Hashable, Iterator, Mapping
from dataclasses import dataclass
from itertools import compress
from typing import Any

from openvocab.vocab.vocabulary import Vocabulary

from .annotation_io import read_json, require_list, require_size
from .categories import category_labels, entry_id

_LARGEST_ID = 2**24 - 1


@dataclass(frozen=True)
class PanopticImage:
    """One annotated image.

    Attributes:
        id: Id of the image.
        image: Name of the image file.
        png: Name of the file with the segment ids.
        size: Height and width.
        segments: The entries of ``segments_info``, crowds included.
    """

    id: Hashable
    image: str
    png: str
    size: tuple[int, int]
    segments: list[dict[str, Any]]


@dataclass(frozen=True)
class PanopticJson:
    """A decoded annotation file and what its categories mean.

    Attributes:
        path: The file, for messages.
        content: The decoded file.
        vocabulary: The classes that labels index.
        labels: Category id -> label.
    """

    path: str
    content: Mapping[str, Any]
    vocabulary: Vocabulary
    labels: Mapping[Hashable, int]

    @classmethod
    def load(cls, path: str, vocabulary: Vocabulary) -> 'PanopticJson':
        """Reads a file; categories are found by name or synonym.

        Raises:
            FileNotFoundError: The file does not exist.
            ValueError: It is no such json.
            UnknownClassError: A category is not in the vocabulary.
        """
        content = read_json(path)
        for key in ('images', 'annotations', 'categories'):
            require_list(content, key, path)
        labels = category_labels(content['categories'], vocabulary, path)
        return cls(str(path), content, vocabulary, labels)

    def images(self) -> Iterator[PanopticImage]:
        """Yields the images that have an annotation, in the order of the file.

        Raises:
            ValueError: An entry is corrupt; the message names it.
        """
        annotations: dict[Hashable, Mapping[str, Any]] = {}
        for position, annotation in enumerate(self.content['annotations']):
            if not isinstance(annotation, Mapping):
                raise ValueError(
                    f'{self.path}: annotation at position {position} is no mapping'
                )
            image = annotation.get('image_id')
            if not isinstance(image, (int, str)):
                raise ValueError(
                    f"{self.path}: an entry lacks 'image_id': annotation at position "
                    f'{position}'
                )
            annotations[image] = annotation
        for position, image in enumerate(self.content['images']):
            number = entry_id(image, 'image', position, self.path)
            if number in annotations:
                annotation = annotations[number]
                yield PanopticImage(
                    number,
                    self._file_name(image, number),
                    self._file_name(annotation, number),
                    require_size(image, number, self.path),
                    self._segments(annotation, number),
                )

    def flag_changes(self) -> list[str]:
        """Names of categories that the file flags as thing or stuff unlike us."""
        flags = self.vocabulary.is_thing
        categories = self.content['categories']
        changed = [
            bool(category.get('isthing', flag)) != flag
            for category in categories
            for flag in [flags[self.labels[category['id']]]]
        ]
        return [category['name'] for category in compress(categories, changed)]

    def _file_name(self, entry: Mapping[str, Any], image: Hashable) -> str:
        name = entry.get('file_name')
        if not isinstance(name, str) or not name:
            raise ValueError(f"{self.path}: an entry lacks 'file_name': image {image}")
        return name

    def _segments(
        self, annotation: Mapping[str, Any], image: Hashable
    ) -> list[dict[str, Any]]:
        segments = annotation.get('segments_info')
        if not isinstance(segments, list):
            raise ValueError(
                f"{self.path}: an entry lacks 'segments_info': image {image}"
            )
        seen = set()
        for position, segment in enumerate(segments):
            number = entry_id(segment, f'segment of image {image}', position, self.path)
            if not isinstance(number, int) or not 0 < number <= _LARGEST_ID:
                raise ValueError(
                    f'{self.path}: segment {number!r} of image {image}: ids are 1 to '
                    f'{_LARGEST_ID}'
                )
            if number in seen:
                raise ValueError(
                    f'{self.path}: segment {number} of image {image} is listed twice'
                )
            seen.add(number)
            category = segment.get('category_id')
            if not isinstance(category, (int, str)) or category not in self.labels:
                raise ValueError(
                    f'{self.path}: segment {number} of image {image} has the '
                    f'undefined category id {category}'
                )
        return segments
