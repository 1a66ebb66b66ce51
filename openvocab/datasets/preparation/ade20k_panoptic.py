"""Panoptic annotation of ADE20K with 150 classes (100 things, 50 stuff).

Made from the label maps of the scene parsing challenge and the instance maps of 2017,
by the rule of the public benchmark: each stuff class is one segment, instances lie over
it, and pixels of a thing class that belong to no instance have no segment. The ids are
ours, so that a png can be understood without the json: G = label + 1, R = number of the
instance, 0 for stuff. Boxes are computed from the pixels.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from openvocab.fileio import atomic_path
from openvocab.vocab.vocabulary import Vocabulary

from ..transforms.load_panoptic_regions import read_panoptic_png
from .detection_split import update_json
from .label_conversion import LabelFiles, is_newer
from .panoptic_maps import PanopticMaps
from .part import Summary
from .pictures import picture_size, read_colour_codes, require_whole
from .run import Run

SEMANTIC = LabelFiles('ade20k_150', tuple(range(1, 151)), ignored_values=(0,))
_VOID = 255


@dataclass(frozen=True)
class PanopticConversion:
    """One image to annotate.

    Attributes:
        image: The photograph.
        semantic: Its label map, values 1..150, 0 without a class.
        instances: Its instance map: R = thing 1..100, G = number of the instance.
        target: The png of segment ids to write.
    """

    image: Path
    semantic: Path
    instances: Path
    target: Path

    def ids(self) -> np.ndarray:
        """Computes the segment ids, (H, W) int32, 0 without a segment.

        Raises:
            FileNotFoundError: A file is missing.
            ValueError: A file is corrupt, or the sizes differ; the message names it.
        """
        labels = SEMANTIC.read(self.semantic).astype(np.int32)
        things, numbers, _ = np.moveaxis(
            read_colour_codes(self.instances).astype(np.int32), 2, 0
        )
        size = picture_size(self.image)
        for path, shape in (
            (self.semantic, labels.shape),
            (self.instances, things.shape),
        ):
            if shape != size:
                raise ValueError(
                    f'{path}: is {shape}, its image {self.image} is {size} (height, '
                    'width)'
                )
        stuff = _is_stuff()[labels]
        ids = np.where(stuff, 256 * (labels + 1), 0)
        inside = numbers > 0
        if inside.any():
            wrong = (things[inside] == 0) | (things[inside] > len(_thing_labels()))
            if wrong.any():
                raise ValueError(
                    f'{self.instances}: instance of the thing class '
                    f'{things[inside][wrong][0]}; they are 1 to {len(_thing_labels())}'
                )
            label = _thing_labels()[things[inside] - 1]
            ids[inside] = 256 * (label + 1) + numbers[inside]
        return ids.astype(np.int32)

    def is_done(self) -> bool:
        """Whether the png is there and not older than what it is made from."""
        return is_newer(self.target, self.semantic) and is_newer(
            self.target, self.instances
        )

    def write(self, ids: np.ndarray) -> None:
        """Writes the png, whole or not at all."""
        planes = np.stack([ids & 255, ids >> 8 & 255, ids * 0], axis=-1)
        with atomic_path(self.target) as temporary:
            Image.fromarray(planes.astype(np.uint8)).save(temporary)


@dataclass(frozen=True, kw_only=True)
class ADE20KPanoptic(PanopticMaps):
    """ADE20K panoptic, written from label and instance maps.

    Attributes:
        semantic: Folder of the label maps.
        instances: Folder of the instance maps.
    """

    semantic: Path
    instances: Path

    def sources(self) -> list[Path]:
        """Images, label maps and instance maps."""
        return [self.images, self.semantic, self.instances]

    def prepare(self, run: Run) -> list[Summary]:
        """Writes the pngs that are not there yet, then the json."""
        conversions = list(self._conversions())
        if not conversions:
            return []
        images, annotations, written = [], [], 0
        for image, annotation, new in run.map(
            self.name, _convert, conversions, dry_run=run.dry_run
        ):
            images.append(image)
            annotations.append(annotation)
            written += new
        vocabulary = Vocabulary.load(self.vocabulary)
        content = dict(
            images=images,
            annotations=annotations,
            categories=[
                dict(id=label, name=entry.name, isthing=int(entry.is_thing))
                for label, entry in enumerate(vocabulary.classes)
            ],
        )
        if not run.dry_run:
            update_json(self.annotation, content)
        segments = sum(len(entry['segments_info']) for entry in annotations)
        verb = 'to write' if run.dry_run else 'written'
        state = f'{written:,} {verb}, {len(images) - written:,} kept'
        return [self.summary(len(images), segments, state)]

    def _conversions(self) -> Iterator[PanopticConversion]:
        for image in sorted(self.images.glob('[!.]*.jpg')):
            png = f'{image.stem}.png'
            yield PanopticConversion(
                image, self.semantic / png, self.instances / png, self.segments / png
            )


def _convert(
    conversion: PanopticConversion, dry_run: bool
) -> tuple[dict[str, Any], dict[str, Any], bool]:
    """Writes a png unless it is there; returns both entries, and whether it was not."""
    ids, new = None, False
    if conversion.is_done():
        try:
            ids = read_panoptic_png(conversion.target)
            require_whole(conversion.target)
            segments = _segments(ids)
        except ValueError:
            ids = None  # damaged: written anew below
    if ids is None:
        ids, new = conversion.ids(), True
        segments = _segments(ids)
        if not dry_run:
            conversion.write(ids)
    name = conversion.image.stem
    height, width = ids.shape
    image = dict(id=name, file_name=conversion.image.name, height=height, width=width)
    return (
        image,
        dict(image_id=name, file_name=conversion.target.name, segments_info=segments),
        new,
    )


def _segments(ids: np.ndarray) -> list[dict[str, Any]]:
    """Entries of ``segments_info``; raises ValueError for ids that are not ours."""
    segments = []
    present, inverse, areas = np.unique(ids, return_inverse=True, return_counts=True)
    inverse = inverse.reshape(ids.shape)
    for position, (number, area) in enumerate(zip(present, areas, strict=True)):
        if number == 0:
            continue
        label = int(number) // 256 - 1
        if not 0 <= label < 150 or _is_stuff()[label] != (number % 256 == 0):
            raise ValueError(f'segment {number} is of no class')
        mask = inverse == position
        rows, columns = (np.flatnonzero(mask.any(axis=axis)) for axis in (1, 0))
        box = (
            columns[0],
            rows[0],
            columns[-1] - columns[0] + 1,
            rows[-1] - rows[0] + 1,
        )
        segments.append(
            dict(
                id=int(number),
                category_id=label,
                iscrowd=0,
                area=int(area),
                bbox=[int(side) for side in box],
            )
        )
    return segments


@cache
def _thing_labels() -> np.ndarray:
    """Label of each of the 100 things, which the instance maps number from 1."""
    return np.flatnonzero(Vocabulary.load('ade20k_150').is_thing)


@cache
def _is_stuff() -> np.ndarray:
    """Whether label 0, 1, ..., 255 is stuff; the label of ignored pixels is not."""
    stuff = np.zeros(_VOID + 1, bool)
    stuff[: len(_flags())] = ~_flags()
    return stuff


@cache
def _flags() -> np.ndarray:
    return np.asarray(Vocabulary.load('ade20k_150').is_thing)
