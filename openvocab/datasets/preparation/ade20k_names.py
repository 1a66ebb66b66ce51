"""ADE20K's scene parsing benchmark, whose archive lists the names of its classes."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from openvocab.vocab.vocabulary import Vocabulary

from .label_maps import LabelMaps
from .run import Run


@dataclass(frozen=True, kw_only=True)
class ADE20KLabelMaps(LabelMaps):
    """Label maps as released.

    Attributes:
        class_list: ``objectInfo150.txt``: a line per class, value first, name last.
    """

    class_list: Path

    def problems(self, run: Run) -> Iterator[str]:
        """Checks images and label maps, and the names where they are listed."""
        if self.class_list.is_file():
            yield from self._name_problems()
        yield from super().problems(run)

    def _name_problems(self) -> Iterator[str]:
        vocabulary = Vocabulary.load(self.files.vocabulary)
        text = self.class_list.read_bytes().decode('utf-8', 'replace')
        rows = [line.rstrip().split('\t') for line in text.splitlines() if line.strip()]
        values = {row[0].strip(): row[-1] for row in rows[1:]}
        for label, entry in enumerate(vocabulary.classes):
            names = values.get(str(label + 1))
            if names is None:
                yield f'{self.class_list}: class {label + 1} is not listed'
                continue
            first = names.replace(';', ',').split(',')[0].strip()
            if vocabulary.find(first) != label:
                yield (
                    f'{self.class_list}: class {label + 1} is {first!r}, not '
                    f'{entry.name!r}'
                )
