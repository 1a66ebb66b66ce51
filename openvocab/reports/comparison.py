"""Several results side by side: per benchmark, and one overview of all benchmarks."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import fmean
from typing import Any

from rich.console import Console, Group

from openvocab.fileio import write_atomically

from .columns import Row, columns_of, metric_title, related, task_of
from .page import comparison_page
from .report import Report
from .rows import benchmark_of, label_of, summarise
from .table import markdown_table, rich_table, show

# column of an overview
_MEAN = 'mean'


@dataclass(frozen=True)
class Section:
    """Results that can be compared.

    Attributes:
        task: What they are results of, as in :func:`task_of`.
        benchmark: Its name; None where a report does not say.
        rows: One per method, averaged over its runs.
    """

    task: str
    benchmark: str | None
    rows: Sequence[Row]

    @property
    def title(self) -> str:
        """Heading of the section."""
        return f'{self.task}: {self.benchmark}' if self.benchmark else self.task

    @property
    def headline(self) -> tuple[str, str]:
        """The metric by which methods are ranked first, and its title."""
        column = columns_of(self.rows)[0]
        measured = [m for m in column.metrics if any(m in row for row in self.rows)]
        return measured[0], metric_title(measured[0], column)


@dataclass(frozen=True)
class Comparison:
    """A page about several results.

    Attributes:
        report: All rows, one per run.
        failures: Runs that gave no result, in words.
    """

    report: Report
    failures: Sequence[str] = ()

    def sections(self) -> list[Section]:
        """Returns a section per task and benchmark, tasks together."""
        renamed = [{**row, 'method': label_of(row)} for row in self.report.rows]
        benchmarks: dict[str | None, list[Row]] = {}
        for row in summarise(renamed):
            benchmarks.setdefault(benchmark_of(row), []).append(row)
        sections = [
            Section(task_of(rows), name, rows)
            for name, members in benchmarks.items()
            for rows in related(members)
        ]
        tasks = list(dict.fromkeys(section.task for section in sections))
        return sorted(sections, key=lambda section: tasks.index(section.task))

    def overviews(self) -> list[tuple[str, list[Row]]]:
        """Returns a table per task that has several benchmarks: title and rows.

        A row has one figure per benchmark, called as it is, and their mean if the
        benchmarks have the same headline and the method was measured on all of them.
        """
        tasks: dict[str, list[Section]] = {}
        for section in self.sections():
            tasks.setdefault(section.task, []).append(section)
        return [
            _overview(task, members)
            for task, members in tasks.items()
            if len({section.benchmark for section in members}) > 1
        ]

    def tables(self) -> Group:
        """Returns all tables for a console."""
        return Group(
            *(rich_table(rows, title) for title, rows in self.overviews()),
            *(rich_table(section.rows, section.title) for section in self.sections()),
        )

    def render(self, console: Console | None = None) -> None:
        """Shows the tables on a console, by default standard output."""
        show(self.tables(), console)

    def markdown(self) -> str:
        """Returns tables and provenance as markdown."""
        parts = ['# Comparison']
        if self.failures:
            parts += ['Failed:', '\n'.join(f'- {line}' for line in self.failures)]
        tables = [*self.overviews(), *((s.title, s.rows) for s in self.sections())]
        for title, rows in tables:
            parts += [f'## {title}', markdown_table(rows)]
        parts += ['## Runs', self.report.details('###')]
        return '\n\n'.join(part for part in parts if part) + '\n'

    def html(self) -> str:
        """Returns the page, which needs no other file and no network."""
        return comparison_page(
            self.overviews(),
            [(section.title, section.rows) for section in self.sections()],
            self.report.rows,
            self.failures,
        )

    def write(self, folder: str | Path) -> None:
        """Writes ``report.json`` (all rows), ``comparison.md`` and ``.html``."""
        folder = Path(folder)
        write_atomically(folder / 'report.json', self.report.to_json().encode())
        write_atomically(folder / 'comparison.md', self.markdown().encode())
        write_atomically(folder / 'comparison.html', self.html().encode())


def _overview(task: str, sections: Sequence[Section]) -> tuple[str, list[Row]]:
    headlines = [section.headline for section in sections]
    titles = {title for _, title in headlines}
    common = titles.pop() if len(titles) == 1 else None
    names = [
        str(section.benchmark) if common else f'{section.benchmark}, {title}'
        for section, (_, title) in zip(sections, headlines, strict=True)
    ]
    rows: dict[str, dict[str, Any]] = {}
    for section, name, (metric, _) in zip(sections, names, headlines, strict=True):
        for found in section.rows:
            row = rows.setdefault(found['method'], {'method': found['method']})
            for part in ('', 'published', 'std'):
                source = found.get(part) or {} if part else found
                target = row.setdefault(part, {}) if part else row
                if source.get(metric) is not None:
                    target[name] = source[metric]
    if common:
        for row in rows.values():
            for figures in (row, row['published']):
                if all(name in figures for name in names):
                    figures[_MEAN] = fmean(figures[name] for name in names)
    title = f'{task}, {common}' if common else task
    return title, list(rows.values())
