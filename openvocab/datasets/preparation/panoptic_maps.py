"""Images with panoptic annotation in COCO's layout, as released."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from openvocab.vocab.vocabulary import Vocabulary

from ..categories import absent_classes
from ..panoptic_json import PanopticImage, PanopticJson
from ..transforms.load_panoptic_regions import read_panoptic_png
from .part import Part, Summary, first_line
from .pictures import picture_size, require_whole
from .run import Run

_SHOWN = 5


@dataclass(frozen=True, kw_only=True)
class PanopticMaps(Part):
    """A panoptic json, its folder of pngs, and the images.

    Attributes:
        annotation: The json.
        segments: Folder of the pngs.
        images: Folder of the images.
        vocabulary: Name of the vocabulary.
    """

    annotation: Path
    segments: Path
    images: Path
    vocabulary: str

    def sources(self) -> list[Path]:
        """The json and the folder of the pngs."""
        return [self.annotation, self.segments]

    def prepare(self, run: Run) -> list[Summary]:
        """Counts the segments."""
        run.reading(f'{self.name}: {self.annotation.name}')
        source = self._load()
        images = list(source.images())
        return [
            self.summary(
                len(images), sum(len(image.segments) for image in images), 'as released'
            )
        ]

    def summary(self, images: int, segments: int, state: str) -> Summary:
        """The row of the part."""
        return Summary(
            self.name, images, self.published, f'{segments:,} segments', state
        )

    def problems(self, run: Run) -> Iterator[str]:
        """Checks the json against vocabulary, pngs and images."""
        run.reading(f'{self.name}: {self.annotation.name}')
        try:
            source = self._load()
            images = list(source.images())
        except (OSError, ValueError) as error:
            yield first_line(error)
            return
        absent = absent_classes(source.labels, source.vocabulary)
        if absent:
            yield f'{self.annotation}: {absent}'
        changed = source.flag_changes()
        if changed:
            yield (
                f'{self.annotation}: thing or stuff is not flagged as in '
                f'{self.vocabulary!r}: {", ".join(changed)}'
            )
        without = len(source.content['images']) - len(images)
        if without:
            yield f'{self.annotation}: {without:,} images have no annotation'
        yield from self.count_problems(len(images), self.annotation, run)
        folders = [path for path in (self.images, self.segments) if not path.is_dir()]
        yield from (f'{path}: folder not found' for path in folders)
        if folders:
            return
        for problems in run.map(
            self.name, _image_problems, images, folder=self.images, pngs=self.segments
        ):
            yield from problems

    def _load(self) -> PanopticJson:
        return PanopticJson.load(str(self.annotation), Vocabulary.load(self.vocabulary))


def _image_problems(entry: PanopticImage, folder: Path, pngs: Path) -> list[str]:
    """What is wrong with an image and its png."""
    problems = []
    image, png = folder / entry.image, pngs / entry.png
    try:
        size = picture_size(image)
        if size != entry.size:
            problems.append(
                f'{image}: is {size}, its annotation {entry.size} (height, width)'
            )
    except (OSError, ValueError) as error:
        problems.append(first_line(error))
    try:
        ids = read_panoptic_png(png)
        require_whole(png)
    except (OSError, ValueError) as error:
        return [*problems, first_line(error)]
    if ids.shape != entry.size:
        problems.append(
            f'{png}: is {ids.shape}, its annotation {entry.size} (height, width)'
        )
    found = {*np.unique(ids).tolist()} - {0}
    listed = {segment['id'] for segment in entry.segments}
    for wrong, what in (
        (found - listed, 'has pixels of segments that are not annotated'),
        (listed - found, 'has no pixel of annotated segments'),
    ):
        if wrong:
            shown = ', '.join(map(str, sorted(wrong)[:_SHOWN]))
            problems.append(f'{png}: {what}: {shown}')
    return problems
