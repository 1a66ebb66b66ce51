"""The report: measured rows, published figures beside them, what they were made with.

``report.json`` is a list of rows, one per evaluated method::

    [{"method": "DenseVLM", "boxes_top1": 73.1, ..., "published": {"boxes_top1": 73.4},
      "confusions": [["sky", "kite", 12]], "meta": {"vocabulary": {...}, ...}}]
"""

import json
import math
import platform
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timezone
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

from rich.console import Console, Group

from openvocab.fileio import write_atomically
from openvocab.version import __version__

from .columns import ATTRIBUTES, METRIC
from .rows import summarise
from .table import markdown_tables, rich_tables, show

# Either family may own a library; the first that is installed is named.
_LIBRARIES = (
    ('torch',),
    ('torchvision',),
    ('onedl-mmengine', 'mmengine'),
    ('onedl-mmcv', 'mmcv'),
    ('onedl-mmdetection', 'mmdet'),
    ('onedl-mmsegmentation', 'mmsegmentation'),
    ('onedl-mmpretrain', 'mmpretrain'),
    ('open-clip-torch',),
    ('timm',),
    ('numpy',),
)


@dataclass
class Report:
    """Rows of results.

    Attributes:
        rows: One mapping per evaluated method: ``method``, the metrics by name and,
            where given, ``published``, ``confusions`` and ``meta``.
        meta: How the rows to be added are made; every added row gets a copy. The keys
            are free; the usual ones are ``config``, ``benchmark``, ``vocabulary`` and
            ``prompts`` (name and hash), ``weights`` (name -> sha256), ``libraries``
            (see :func:`library_versions`), ``images_per_second``, ``peak_memory``
            (bytes) and ``date``.
    """

    rows: list[dict[str, Any]] = field(default_factory=list)
    meta: dict[str, Any] = field(default_factory=dict)

    def add_row(
        self,
        method: str,
        metrics: Mapping[str, float],
        published: Mapping[str, float] | None = None,
        confusions: Iterable[tuple[str, str, int]] | None = None,
    ) -> dict[str, Any]:
        """Adds one method and returns its row.

        Args:
            method: Its name; rows of the same name are taken for repeated runs.
            metrics: Metric name -> value.
            published: The figures of its paper, by the same names.
            confusions: (true class, predicted class, number of regions).

        Raises:
            ValueError: A metric has the name of another entry of the row.
        """
        clash = [name for name in metrics if name in ATTRIBUTES]
        if clash:
            raise ValueError(f"report: a metric must not be called '{clash[0]}'")
        row: dict[str, Any] = {'method': method, **_plain(metrics)}
        if published:
            row['published'] = dict(published)
        if confusions is not None:
            row['confusions'] = [list(entry) for entry in confusions]
        row['meta'] = {'date': _now(), **self.meta}
        self.rows.append(row)
        return row

    def summary(self) -> list[dict[str, Any]]:
        """Returns one row per method and benchmark, see :func:`summarise`."""
        return summarise(self.rows)

    def tables(self) -> Group:
        """Returns the summary as rich tables, one for each task."""
        return rich_tables(self.summary())

    def render(self, console: Console | None = None) -> None:
        """Shows the tables on a console, by default standard output."""
        show(self.tables(), console)

    def markdown(self) -> str:
        """Returns the tables, confusions and provenance as markdown."""
        tables = markdown_tables(self.summary())
        return '\n\n'.join(['# Report', tables, self.details('##')]) + '\n'

    def details(self, heading: str) -> str:
        """Returns confusions and provenance of every row as markdown.

        Args:
            heading: Marks of a heading, such as ``##``.
        """
        return '\n\n'.join(_markdown_details(row, heading) for row in self.rows)

    def to_json(self) -> str:
        """Returns all rows as json."""
        rows = json.dumps(_plain(self.rows), indent=2, ensure_ascii=False)
        return f'{rows}\n'

    def write(self, folder: str | Path) -> None:
        """Writes ``report.json`` and ``report.md``, each whole or not at all."""
        folder = Path(folder)
        write_atomically(folder / 'report.json', self.to_json().encode())
        write_atomically(folder / 'report.md', self.markdown().encode())


def load_report(path: str | Path) -> Report:
    """Reads a ``report.json``, or the one in a folder.

    Raises:
        FileNotFoundError: There is none.
        ValueError: The file is not a report.
    """
    path = Path(path)
    if path.is_dir():
        path = path / 'report.json'
    try:
        rows = json.loads(path.read_bytes())
    except FileNotFoundError:
        raise FileNotFoundError(f'report not found: {path}') from None
    except ValueError as error:
        raise ValueError(f'{path} is not valid json: {error}') from None
    if not isinstance(rows, list) or not all(
        isinstance(row, dict) and 'method' in row for row in rows
    ):
        raise ValueError(
            f"{path} is not a report: a list of rows with 'method' expected"
        )
    for row in rows:
        for name, value in row.items():
            kinds = ATTRIBUTES.get(name, METRIC)
            if not isinstance(value, kinds):
                raise ValueError(
                    f'{path}: {name!r} of {row["method"]!r} is {value!r}, '
                    f'{" or ".join(kind.__name__ for kind in kinds)} expected'
                )
    return Report(rows)


def merge(paths: Iterable[str | Path]) -> Report:
    """Joins reports (files or folders) into one, rows in the given order.

    Raises:
        FileNotFoundError: A report is missing.
        ValueError: A file is not a report.
    """
    return Report([row for path in paths for row in load_report(path).rows])


def library_versions() -> dict[str, str]:
    """Returns the installed versions that results depend on, Python's included."""
    versions = {'openvocab': __version__, 'python': platform.python_version()}
    for names in _LIBRARIES:
        for name in names:
            try:
                versions[name] = version(name)
                break
            except PackageNotFoundError:
                continue
    return versions


def _markdown_details(row: Mapping[str, Any], heading: str) -> str:
    lines = [f'{heading} {row["method"]}']
    if row.get('confusions'):
        lines += ['', '| true | top-1 | regions |', '|---|---|---|']
        lines += [f'| {t} | {p} | {count} |' for t, p, count in row['confusions']]
    if row.get('meta'):
        lines.append('')
        lines += [
            f'- {key}: {inline(value)}' for key, value in _plain(row['meta']).items()
        ]
    return '\n'.join(lines)


def inline(value: Any) -> str:
    """Writes provenance in one line."""
    if isinstance(value, dict):
        return ', '.join(f'{key} {inline(item)}' for key, item in value.items())
    return f'{value:.4g}' if isinstance(value, float) else str(value)


def _plain(value: Any) -> Any:
    """Makes a value fit for json: numpy scalars to numbers, NaN to null, else text."""
    if isinstance(value, Mapping):
        return {str(key): _plain(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [_plain(item) for item in value]
    if hasattr(value, 'item'):
        value = value.item()
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    return value if value is None or isinstance(value, (bool, int, str)) else str(value)


def _now() -> str:
    return datetime.now(timezone.utc).astimezone().isoformat(timespec='seconds')
