"""A folder of images that another data set has already."""

import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from .part import Part, Summary
from .run import Run


@dataclass(frozen=True, kw_only=True)
class LinkedFolder(Part):
    """A link to a folder, such as COCO's images for LVIS.

    Attributes:
        source: The folder.
        target: The link; a folder of that name is left alone.
    """

    source: Path
    target: Path

    def sources(self) -> list[Path]:
        """The folder, unless the link is not needed."""
        return [] if self.target.exists() else [self.source]

    def prepare(self, run: Run) -> list[Summary]:
        """Makes the link."""
        state = 'kept'
        if not self.target.exists():
            state = 'to link' if run.dry_run else 'linked'
        if state == 'linked':
            self.target.parent.mkdir(parents=True, exist_ok=True)
            self.target.unlink(missing_ok=True)  # one that leads nowhere
            relative = os.path.relpath(
                self.source.resolve(), self.target.parent.resolve()
            )
            self.target.symlink_to(relative, target_is_directory=True)
        images = sum(1 for _ in self.target.glob('*.jpg'))
        return [Summary(self.name, images, self.published, '', state)]

    def problems(self, run: Run) -> Iterator[str]:
        """Says if the folder is missing."""
        if not self.target.is_dir():
            yield f'{self.target}: folder not found'
