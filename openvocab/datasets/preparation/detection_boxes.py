"""Images with boxes in COCO's or LVIS's layout, and the files derived from them."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from openvocab.vocab.vocabulary import Vocabulary

from ..annotation_io import read_json, require_list, require_size
from ..categories import absent_classes
from ..detection_json import DetectionJson, check_box, image_name
from .detection_split import Derivation, update_json
from .part import Part, Summary, first_line
from .pictures import picture_size
from .run import Run


@dataclass(frozen=True, kw_only=True)
class DetectionBoxes(Part):
    """An official annotation file and its images.

    Attributes:
        annotation: The json.
        images: Folder of the images.
        vocabulary: Name of the vocabulary that the file's categories are.
        masks: Whether configs read the masks.
        derivation: The derived file, where there is one.
        derived: Folder of the derived file.
    """

    annotation: Path
    images: Path
    vocabulary: str
    masks: bool = False
    derivation: Derivation | None = None
    derived: Path | None = None

    def sources(self) -> list[Path]:
        """The json."""
        return [self.annotation]

    def prepare(self, run: Run) -> list[Summary]:
        """Counts, and writes the derived file unless it is there."""
        run.reading(f'{self.name}: {self.annotation.name}')
        source = self._load()
        source.annotations_of()  # refuses corrupt entries
        rows = [_row(self.annotation.name, source.content, self.published)]
        if self.derivation is not None:
            rows.append(self._derive(source, run))
        return rows

    def _derive(self, source: DetectionJson, run: Run) -> Summary:
        derivation = self.derivation
        content = derivation.of(source)
        state, note = 'to write', ''
        if not run.dry_run:
            path = self.derived / derivation.derived
            what = f'{self.name}: {path.name}'
            digest, new = update_json(
                path, content, lambda done, total: run.progress(what, done, total)
            )
            state, note = ('written' if new else 'kept'), f'sha256 {digest}  {path}'
        published = derivation.published_images
        return _row(derivation.derived, content, published, state, note)

    def problems(self, run: Run) -> Iterator[str]:
        """Checks the json against vocabulary and images, and the derived file."""
        run.reading(f'{self.name}: {self.annotation.name}')
        try:
            source = self._load()
            source.annotations_of()
        except (OSError, ValueError) as error:
            yield first_line(error)
            return
        absent = absent_classes(source.labels, source.vocabulary)
        if absent:
            yield f'{self.annotation}: {absent}'
        yield from self.count_problems(len(source.images), self.annotation, run)
        for annotation in source.content['annotations']:
            try:
                check_box(annotation, source.path)
                if self.masks:
                    _check_mask(annotation, source.path)
            except ValueError as error:
                yield first_line(error)
        yield from self._derived_problems(source)
        if not self.images.is_dir():
            yield f'{self.images}: folder not found'
            return
        for problem in run.map(
            self.name,
            _image_problem,
            source.images,
            folder=self.images,
            annotation=source.path,
        ):
            if problem:
                yield problem

    def _derived_problems(self, source: DetectionJson) -> Iterator[str]:
        """Compares the derived file, which no config needs, where there is one."""
        if self.derivation is None:
            return
        path = self.derived / self.derivation.derived
        if not path.is_file():
            return
        try:
            content = read_json(path)
            found = {key: len(require_list(content, key, path)) for key in _LISTS}
        except (OSError, ValueError) as error:
            yield first_line(error)
            return
        expected = self.derivation.of(source)
        for key in _LISTS:
            if content[key] != expected[key]:
                yield (
                    f'{path}: not what {self.annotation.name} gives: {found[key]:,} '
                    f'{key}, expected {len(expected[key]):,}; delete it and prepare '
                    'again'
                )

    def _load(self) -> DetectionJson:
        vocabulary = Vocabulary.load(self.vocabulary)
        return DetectionJson.load(str(self.annotation), vocabulary)


_LISTS = ('images', 'annotations', 'categories')


def _row(
    name: str,
    content: dict[str, Any],
    published: int | None,
    state: str = 'as released',
    note: str = '',
) -> Summary:
    images, annotations, categories = (len(content[key]) for key in _LISTS)
    counted = f'{annotations:,} annotations, {categories:,} categories'
    return Summary(name, images, published, counted, state, note)


def _check_mask(annotation: dict[str, Any], path: str) -> None:
    """Looks at the mask of an annotation: polygons, or a run-length code."""
    mask = annotation.get('segmentation')
    if isinstance(mask, dict):
        valid = 'counts' in mask and 'size' in mask
    else:
        valid = isinstance(mask, list) and all(
            isinstance(polygon, list)
            and all(isinstance(value, (int, float)) for value in polygon)
            for polygon in mask
        )
    if not valid:
        raise ValueError(
            f'{path}: annotation {annotation["id"]} has no mask of polygons or runs'
        )


def _image_problem(image: dict[str, Any], folder: Path, annotation: str) -> str:
    """What is wrong with an image; empty if nothing is."""
    try:
        path = folder / image_name(image, annotation)
        size = picture_size(path)
        stated = require_size(image, image['id'], annotation)
    except (OSError, ValueError) as error:
        return first_line(error)
    if size != stated:
        return f'{path}: is {size}, {annotation} says {stated} (height, width)'
    return ''
