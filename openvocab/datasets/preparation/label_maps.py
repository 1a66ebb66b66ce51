"""Images with semantic label maps: prepared from an archive, or as released."""

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from openvocab.fileio import write_atomically

from ..segmentation.count_table import class_table, summary_row
from ..segmentation.label_counts import LabelCounts
from .label_conversion import LabelConversion, LabelFiles, convert
from .part import Part, Summary, first_line
from .pictures import picture_size
from .run import Run


class Names(ABC):
    """Names of images, without suffix and relative to their folder.

    Attributes:
        path: The file or folder that they are taken from.
    """

    path: Path

    @abstractmethod
    def read(self) -> list[str]:
        """Returns the names.

        Raises:
            FileNotFoundError: ``path`` is missing.
            ValueError: It is no text.
        """


@dataclass(frozen=True)
class Listed(Names):
    """Names in a text file, one a line."""

    path: Path

    def read(self) -> list[str]:
        """Reads the file."""
        try:
            return self.path.read_text('utf-8').split()
        except FileNotFoundError:
            raise FileNotFoundError(f'{self.path}: list of images not found') from None
        except UnicodeDecodeError:
            raise ValueError(f'{self.path}: not a text file') from None


@dataclass(frozen=True)
class Found(Names):
    """Names of all files below a folder that have a suffix; hidden ones are no files.

    Those are left by a process that was killed, or by other systems.
    """

    path: Path
    suffix: str

    def read(self) -> list[str]:
        """Searches the folder."""
        if not self.path.is_dir():
            raise FileNotFoundError(f'{self.path}: folder not found')
        return sorted(
            path.relative_to(self.path).as_posix().removesuffix(self.suffix)
            for path in self.path.rglob(f'*{self.suffix}')
            if not path.name.startswith('.')
        )


@dataclass(frozen=True, kw_only=True)
class LabelMaps(Part):
    """Images and label maps.

    Attributes:
        names: The images of the part.
        images: Folder of the images.
        labels: Folder of the label maps.
        files: What the values of the label maps mean.
        image_suffix, label_suffix: What is appended to a name.
        complete: Whether a label map without an image is a mistake.
    """

    names: Names
    images: Path
    labels: Path
    files: LabelFiles
    image_suffix: str = '.jpg'
    label_suffix: str = '.png'
    complete: bool = False

    def sources(self) -> list[Path]:
        """The list and the folder of the label maps."""
        return [self.names.path, self.labels]

    def prepare(self, run: Run) -> list[Summary]:
        """Counts the classes."""
        paths = [self._label(name) for name in self.names.read()]
        counts = self.files.empty_counts()
        for histogram in run.map(self.name, _histogram, paths, files=self.files):
            counts.add(histogram)
        return [self.summary(counts, 'as released')]

    def summary(self, counts: LabelCounts, state: str) -> Summary:
        """The row of the part, with the table of its classes."""
        classes, ignored = summary_row(counts)
        return ClassSummary(
            self.name,
            counts.images,
            self.published,
            f'{classes} classes, {ignored} without',
            state,
            vocabulary=self.files.vocabulary,
            counts=counts,
        )

    def problems(self, run: Run) -> Iterator[str]:
        """Checks that images and label maps are there, whole and of one size."""
        try:
            names = self.names.read()
        except (OSError, ValueError) as error:
            yield first_line(error)
            return
        folders = [path for path in (self.images, self.labels) if not path.is_dir()]
        yield from (f'{path}: folder not found' for path in folders)
        if folders:
            return
        yield from self.count_problems(len(names), self.names.path, run)
        pairs = [(self._image(name), self._label(name)) for name in names]
        for problems in run.map(self.name, _pair_problems, pairs, files=self.files):
            yield from problems
        if self.complete:
            extra = {*Found(self.labels, self.label_suffix).read()}.difference(names)
            yield from (f'{self._label(name)}: has no image' for name in sorted(extra))

    def _image(self, name: str) -> Path:
        return self.images / f'{name}{self.image_suffix}'

    def _label(self, name: str) -> Path:
        return self.labels / f'{name}{self.label_suffix}'


@dataclass(frozen=True)
class ClassSummary(Summary):
    """A row behind which stand the counts of every class."""

    vocabulary: str = ''
    counts: LabelCounts | None = None

    def class_table(self, names: Sequence[str]) -> object:
        """Images and pixels of every class, for the console."""
        return class_table(f'{self.name}: {self.vocabulary}', names, self.counts)


@dataclass(frozen=True, kw_only=True)
class ConvertedLabelMaps(LabelMaps):
    """Label maps that are written from the files of an archive.

    Attributes:
        archive: The file or folder that they are written from.
        conversions: Lists the label maps of the part.
        image_list: File for the names of the images, where configs need one.
    """

    archive: Path
    conversions: Callable[[], Sequence[LabelConversion]]
    image_list: Path | None = None

    def sources(self) -> list[Path]:
        """The archive's file or folder."""
        return [self.archive]

    def prepare(self, run: Run) -> list[Summary]:
        """Converts what is not there yet."""
        run.reading(f'{self.name}: {self.archive.name}')
        conversions = self.conversions()
        if not conversions:
            return []
        counts, written = self.files.empty_counts(), 0
        for histogram, new in run.map(
            self.name, convert, conversions, files=self.files, dry_run=run.dry_run
        ):
            counts.add(histogram)
            written += new
        if self.image_list is not None and not run.dry_run:
            names = [conversion.target.stem for conversion in conversions]
            _update_list(self.image_list, names)
        verb = 'to write' if run.dry_run else 'written'
        kept = counts.images - written
        return [self.summary(counts, f'{written:,} {verb}, {kept:,} kept')]


def _update_list(path: Path, names: Sequence[str]) -> None:
    content = ''.join(f'{name}\n' for name in names).encode()
    if not path.is_file() or path.read_bytes() != content:
        write_atomically(path, content)


def _histogram(path: Path, files: LabelFiles) -> np.ndarray:
    return np.bincount(files.read(path).reshape(-1))


def _pair_problems(pair: tuple[Path, Path], files: LabelFiles) -> list[str]:
    """What is wrong with an image and its label map."""
    image, label = pair
    problems, sizes = [], []
    for read in (
        lambda: picture_size(image),
        lambda: files.read(label).shape,
    ):
        try:
            sizes.append(read())
        except (OSError, ValueError) as error:
            problems.append(first_line(error))
    if len(sizes) == 2 and sizes[0] != sizes[1]:
        problems.append(
            f'{label}: is {sizes[1]}, its image {image} is {sizes[0]} (height, width)'
        )
    return problems
