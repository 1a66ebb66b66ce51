"""Derived annotation files of open-vocabulary detection.

:class:`OVDetDataset` reads the official files and needs none of these. They are for
other tools, and to compare with what others trained on.
"""

import hashlib
import json
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from openvocab.fileio import atomic_path
from openvocab.vocab.vocabulary import Vocabulary

from ..detection_json import DetectionJson

_BATCH = 10_000
_BLOCK = 2**20


@dataclass(frozen=True)
class Derivation:
    """How one derived file comes from an official one.

    Attributes:
        official: Name of the official file.
        derived: Name of the derived file, as others call it.
        vocabulary: Name of the vocabulary.
        splits: Splits whose annotations are kept; None keeps the whole vocabulary.
        drop_unknown: Categories outside the vocabulary that are dropped, as in
            :class:`OVDetDataset`.
        only_annotated: Leave out the images that keep no annotation.
        published_images: Number of images of the published file.
    """

    official: str
    derived: str
    vocabulary: str
    splits: tuple[str, ...] | None = None
    drop_unknown: str | None = None
    only_annotated: bool = False
    published_images: int | None = None

    def of(self, official: DetectionJson) -> dict[str, Any]:
        """Returns the content of the derived file.

        Categories that are in the vocabulary stay, in the order of the file and
        whatever their split, so that all derived files have the whole label space.

        Args:
            official: The official file, read with any vocabulary.

        Raises:
            ValueError, UnknownClassError: As :meth:`DetectionJson.load` and
                :meth:`DetectionJson.annotations_of`.
        """
        source = official.relabelled(
            Vocabulary.load(self.vocabulary), self.drop_unknown
        )
        by_image = source.annotations_of(self.splits)
        kept = source.category_ids_of(self.splits)
        content = source.content
        # Over the file again: the annotations keep its order.
        annotations = [a for a in content['annotations'] if a['category_id'] in kept]
        images = [
            image
            for image in source.images
            if by_image[image['id']] or not self.only_annotated
        ]
        categories = [c for c in content['categories'] if c['id'] in source.labels]
        return {
            **content,
            'images': images,
            'annotations': annotations,
            'categories': categories,
        }


_COCO = dict(vocabulary='ov_coco', drop_unknown='coco_80', only_annotated=True)
DERIVATIONS: dict[str, tuple[Derivation, ...]] = {
    'ov_coco': (
        Derivation(
            'instances_train2017.json',
            'instances_train2017_seen_2_65_cat.json',
            splits=('base',),
            published_images=107_761,
            **_COCO,
        ),
        Derivation(
            'instances_val2017.json',
            'instances_val2017_all_2.json',
            published_images=4_836,
            **_COCO,
        ),
    ),
    'ov_lvis': (
        Derivation(
            'lvis_v1_train.json',
            'lvis_v1_train_norare.json',
            vocabulary='lvis_v1',
            splits=('c', 'f'),
            published_images=100_170,
        ),
    ),
}


def update_json(
    path: str | Path,
    content: Mapping[str, Any],
    progress: Callable[[int, int], None] = lambda done, total: None,
) -> tuple[str, bool]:
    """Writes compact json in batches of list items, unless the file is just that.

    Equal contents give equal bytes. Only one batch exists as text at a time; the LVIS
    training file has more than 1 GB. The file is written whole or not at all.

    Args:
        path: The file.
        content: A json object.
        progress: Called with the numbers of list items written and to write.

    Returns:
        The sha256 of the file, and whether it was written.
    """
    if Path(path).is_file():
        digest = _digest(text.encode() for text, _ in _pieces(content))
        with Path(path).open('rb') as file:
            if digest == _digest(iter(lambda: file.read(_BLOCK), b'')):
                return digest, False
    written = hashlib.sha256()
    total = sum(len(value) for value in content.values() if isinstance(value, list))
    done = 0
    with atomic_path(path) as temporary, temporary.open('wb') as file:
        for text, items in _pieces(content):
            data = text.encode()
            written.update(data)
            file.write(data)
            done += items
            progress(done, total)
    return written.hexdigest(), True


def _digest(blocks: Iterable[bytes]) -> str:
    digest = hashlib.sha256()
    for block in blocks:
        digest.update(block)
    return digest.hexdigest()


def _pieces(content: Mapping[str, Any]) -> Iterator[tuple[str, int]]:
    """Yields the text of a json object and how many list items each piece holds."""
    for position, (key, value) in enumerate(content.items()):
        yield ('{' if position == 0 else ',') + json.dumps(key) + ':', 0
        if not isinstance(value, list):
            yield _compact(value), 0
            continue
        for start in range(0, len(value), _BATCH):
            batch = value[start : start + _BATCH]
            yield ('[' if start == 0 else ',') + _compact(batch)[1:-1], len(batch)
        yield (']' if value else '[]'), 0
    yield ('}' if content else '{}'), 0


def _compact(value: Any) -> str:
    return json.dumps(value, separators=(',', ':'))
