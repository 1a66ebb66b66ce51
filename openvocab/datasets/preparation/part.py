"""What every part of a data set can do: be prepared, and be checked."""

from abc import ABC, abstractmethod
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from .run import Run


@dataclass(frozen=True)
class Summary:
    """One row of the table that a preparation ends with.

    Attributes:
        name: Of the part or file.
        images: Number of images.
        published: That of the publications; None where there is no figure.
        content: What was counted, in words.
        state: What was written and what was there already.
        note: A line for below the table.
    """

    name: str
    images: int
    published: int | None = None
    content: str = ''
    state: str = 'as released'
    note: str = ''

    @property
    def verdict(self) -> str:
        """How the number of images compares with the published one."""
        if self.published is None:
            return 'no published figure'
        if self.images == self.published:
            return f'equal to the published {self.published:,}'
        return f'DIFFERENT from the published {self.published:,}'


@dataclass(frozen=True, kw_only=True)
class Part(ABC):
    """A set of images and annotation that a config reads: a split, usually.

    Attributes:
        name: Shown in tables.
        published: Number of images of the publications, None where we know no figure.
    """

    name: str
    published: int | None = None

    @abstractmethod
    def sources(self) -> list[Path]:
        """Files and folders of the archives without which it cannot be prepared."""

    def missing(self) -> list[Path]:
        """The sources that are not there."""
        return [path for path in self.sources() if not path.exists()]

    @abstractmethod
    def prepare(self, run: Run) -> list[Summary]:
        """Writes what is not written yet and counts; no row if there is no image.

        Raises:
            FileNotFoundError: A file is missing.
            ValueError: A file is corrupt; the message names it.
        """

    @abstractmethod
    def problems(self, run: Run) -> Iterator[str]:
        """Yields what is wrong with the tree that configs read, a line per problem."""

    def count_problems(self, images: int, where: Path, run: Run) -> Iterator[str]:
        """Yields a line if the number of images is not the published one."""
        if not images:
            yield f'{where}: no image'
        elif self.published not in (None, images) and not run.subset:
            yield f'{where}: {images:,} images, published are {self.published:,}'


def first_line(error: Exception) -> str:
    """The message of an error on one line."""
    return ' '.join(str(error).split()) or type(error).__name__
