"""Ground truth of a detection evaluation, labelled by the classes of a vocabulary."""

from collections.abc import Hashable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from mmengine.logging import print_log

from openvocab.vocab.vocabulary import Vocabulary


@dataclass(frozen=True)
class ImageTruth:
    """What is annotated in one image.

    Attributes:
        height: Height of the image in pixels.
        width: Width of the image in pixels.
        objects: One dict per object: ``label``, ``bbox`` (x, y, width, height; pixels),
            ``area`` (pixels), ``iscrowd`` and ``segmentation`` (polygons or RLE; None
            without a mask).
        negative: Labels known to be absent (federated annotation).
        not_exhaustive: Labels of which some objects are not annotated (the same).
    """

    height: int
    width: int
    objects: Sequence[Mapping[str, Any]] = ()
    negative: frozenset[int] = frozenset()
    not_exhaustive: frozenset[int] = frozenset()

    @property
    def judged(self) -> frozenset[int]:
        """Labels whose detections can be judged under federated annotation."""
        return self.negative | {entry['label'] for entry in self.objects}


@dataclass(frozen=True)
class CocoGroundTruth:
    """The annotated images of a file.

    Attributes:
        images: Image id -> its annotation.
        category_ids: Label -> id of its category in the annotation file; a label
            without a category is not evaluated.
    """

    images: Mapping[Hashable, ImageTruth]
    category_ids: Mapping[int, int]

    @classmethod
    def load(
        cls, path: str, vocabulary: Vocabulary, federated: bool = False
    ) -> 'CocoGroundTruth':
        """Reads a COCO or LVIS json.

        Categories are found by name or synonym (see :meth:`Vocabulary.index`), so their
        ids and order do not matter. Categories outside the vocabulary are left out,
        with their objects; several categories that mean one class become that class.

        Args:
            path: The json, official or derived.
            vocabulary: The classes that labels index.
            federated: Read ``neg_category_ids`` and ``not_exhaustive_category_ids`` of
                every image.

        Raises:
            FileNotFoundError: The file does not exist.
            ValueError: It is not such a json, none of its categories is in the
                vocabulary, or its annotation is not federated.
        """
        # Not above: reports need no data sets, and those import the detection library.
        from openvocab.datasets.annotation_io import read_json, require_key
        from openvocab.datasets.detection_json import DetectionJson

        content = read_json(path)
        try:
            labels = _labels(require_key(content, 'categories', path), vocabulary, path)
            source = DetectionJson(str(path), content, vocabulary, labels)
            by_image = source.annotations_of()
            truths = {
                image['id']: ImageTruth(
                    image['height'],
                    image['width'],
                    [_object(entry, labels) for entry in by_image[image['id']]],
                    *(_federation(image, labels, path) if federated else ()),
                )
                for image in source.images
            }
        except (KeyError, TypeError) as error:
            raise ValueError(f'{path}: an entry lacks {error}') from None
        ids = {label: category for category, label in reversed(labels.items())}
        return cls(truths, ids)


def truth_of_instances(
    instances: Iterable[Mapping[str, Any]], shape: Sequence[int]
) -> ImageTruth:
    """Takes the ground truth from a data sample of mmdet.

    The area of an object is that of its mask where it has one, as in COCO's files.

    Args:
        instances: Dicts with ``bbox`` (x1, y1, x2, y2; pixels of the original image),
            ``bbox_label`` and, where they apply, ``ignore_flag`` (crowd) and ``mask``
            (polygons or RLE).
        shape: Height and width of the original image.

    Raises:
        ValueError: An instance lacks an entry.
    """
    try:
        objects = [_object_of_instance(entry, shape) for entry in instances]
    except KeyError as error:
        raise ValueError(f'an instance of a data sample lacks {error}') from None
    return ImageTruth(int(shape[0]), int(shape[1]), objects)


def _labels(
    categories: Iterable[Mapping[str, Any]], vocabulary: Vocabulary, path: str
) -> dict[int, int]:
    """Maps category ids to labels, and says what does not take part."""
    labels, outside = {}, []
    for category in categories:
        label = vocabulary.find(category['name'])
        if label is None:
            outside.append(category['name'])
        else:
            labels[category['id']] = label
    if not labels:
        raise ValueError(
            f'{path}: none of its {len(outside)} categories is in the vocabulary '
            f'{vocabulary.name!r}; is it the file of another data set?'
        )
    found = set(labels.values())
    absent = [name for i, name in enumerate(vocabulary.names) if i not in found]
    for names, which in (
        (outside, 'categories outside the vocabulary, left out'),
        (absent, 'classes without a category, whose AP is nan'),
    ):
        if names:
            text = f'{path}: {which} ({len(names)}): {_some(names)}'
            print_log(text, logger='current')
    return labels


def _some(names: Sequence[str], shown: int = 5) -> str:
    return ', '.join(names[:shown]) + (', ...' if len(names) > shown else '')


def _object(entry: Mapping[str, Any], labels: Mapping[int, int]) -> dict[str, Any]:
    return dict(
        label=labels[entry['category_id']],
        bbox=entry['bbox'],
        area=entry['area'],
        iscrowd=int(entry.get('iscrowd') or 0),
        segmentation=entry.get('segmentation') or None,
    )


def _object_of_instance(
    entry: Mapping[str, Any], shape: Sequence[int]
) -> dict[str, Any]:
    left, top, right, bottom = (float(side) for side in entry['bbox'])
    mask = entry.get('mask') or None
    area = (right - left) * (bottom - top)
    if mask is not None:
        from faster_coco_eval.core import mask as mask_api

        area = float(mask_api.area(mask_api.segmToRle(mask, shape[1], shape[0])))
    return dict(
        label=int(entry['bbox_label']),
        bbox=[left, top, right - left, bottom - top],
        area=area,
        iscrowd=int(entry.get('ignore_flag', 0)),
        segmentation=mask,
    )


def _federation(
    image: Mapping[str, Any], labels: Mapping[int, int], path: str
) -> Iterator[frozenset[int]]:
    """Yields the labels known to be absent, and those not annotated exhaustively."""
    for key in ('neg_category_ids', 'not_exhaustive_category_ids'):
        if key not in image:
            raise ValueError(
                f'{path}: image {image["id"]} has no {key!r}; federated evaluation '
                'needs the annotation of LVIS'
            )
        yield frozenset(labels[i] for i in image[key] if i in labels)
