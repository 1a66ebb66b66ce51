"""Markdown tables of the models in a metafile."""

from collections.abc import Callable, Iterable, Sequence
from os.path import relpath
from pathlib import Path
from typing import NamedTuple

from openvocab.reports.columns import Column, columns_of

from .model_index import ModelEntry, Result


class _Row(NamedTuple):
    label: str
    training_data: str


class _Place(NamedTuple):
    """A column of a table."""

    dataset: str
    column: Column


_Cells = dict[_Row, dict[_Place, Result]]


def configs_table(models: Sequence[ModelEntry], folder: Path) -> str:
    """A row per encoder and training set with links to all its configs.

    Args:
        models: The models of one or several folders.
        folder: The folder of the page, relative to the root of the index; links are
            relative to it.
    """
    rows: dict[_Row, list[ModelEntry]] = {}
    for model in models:
        rows.setdefault(_row(model, model.label, models), []).append(model)
    weights = any(model.weights for model in models)
    lines = [
        [
            row.label,
            row.training_data,
            ' '.join(_config_link(model, folder) for model in members),
            *([' '.join(_weights_link(model) for model in members)] if weights else []),
        ]
        for row, members in rows.items()
    ]
    head = ['encoder', 'trained on', 'configs', *(['weights'] if weights else [])]
    return _markdown(head, lines)


def published_tables(models: Iterable[ModelEntry]) -> str:
    """What others report: a table per group of comparable figures."""
    found = [(model, result) for model in models for result in model.published]
    return _tables(found, _published_cell)


def measured_tables(models: Iterable[ModelEntry], folder: Path) -> str:
    """What was measured with this package, and the commands that did it.

    A page outside the models' folders gets no commands: theirs have them.
    """
    found = [(model, result) for model in models for result in model.measured]
    if not found:
        return ''
    if all(Path(model.config).parent != folder for model, _ in found):
        return _tables(found, _measured_cell, seeds=True)
    commands = dict.fromkeys(result.command.strip() for _, result in found)
    block = '\n'.join(['```shell', *commands, '```'])
    return f'{_tables(found, _measured_cell, seeds=True)}\n\n{block}'


def _tables(
    found: Sequence[tuple[ModelEntry, Result]],
    render: Callable[[Result, Column], str],
    seeds: bool = False,
) -> str:
    tables = []
    for task in dict.fromkeys(result.task for _, result in found):
        cells: _Cells = {}
        for model, result in found:
            if result.task != task:
                continue
            label = result.label or model.label
            row = cells.setdefault(_row(model, label, [m for m, _ in found]), {})
            for column in columns_of([result.metrics]):
                row.setdefault(_Place(result.dataset, column), result)
        tables += [_table(task, group, render, seeds) for group in _connected(cells)]
    return '\n\n'.join(tables)


def _row(model: ModelEntry, label: str, models: Iterable[ModelEntry]) -> _Row:
    """The row of a model; it says the method where there are several."""
    if len({other.collection for other in models}) > 1:
        label = f'{model.collection}, {label}'
    return _Row(label, model.training_data)


def _connected(cells: _Cells) -> list[_Cells]:
    """Splits rows into groups that have no column in common."""
    groups: list[tuple[_Cells, set[_Place]]] = []
    for row, places in cells.items():
        joined = [group for group in groups if group[1] & set(places)]
        groups = [group for group in groups if not group[1] & set(places)]
        members = {r: c for group in joined for r, c in group[0].items()}
        members[row] = places
        groups.append((members, set(places).union(*(group[1] for group in joined))))
    order = list(cells)
    parts = [{row: part[row] for row in order if row in part} for part, _ in groups]
    parts = [piece for part in parts for piece in _split_by_dataset(part)]
    return sorted(parts, key=lambda part: order.index(next(iter(part))))


def _split_by_dataset(cells: _Cells) -> list[_Cells]:
    """A table per data set, unless all data sets share one metric."""
    if len(_titles(cells)) == 1 or _common_title(cells):
        return [cells]
    return [
        {
            row: kept
            for row, places in cells.items()
            if (kept := {p: r for p, r in places.items() if p.dataset == dataset})
        }
        for dataset in _titles(cells)
    ]


def _titles(cells: _Cells) -> dict[str, set[str]]:
    """Data set -> titles of its columns."""
    titles: dict[str, set[str]] = {}
    for places in cells.values():
        for place in places:
            titles.setdefault(place.dataset, set()).add(place.column.title)
    return titles


def _common_title(cells: _Cells) -> str | None:
    common = set.intersection(*_titles(cells).values())
    return common.pop() if len(common) == 1 else None


def _table(
    task: str,
    cells: _Cells,
    render: Callable[[Result, Column], str],
    seeds: bool,
) -> str:
    datasets = list(_titles(cells))
    places = list(dict.fromkeys(place for row in cells.values() for place in row))
    places.sort(key=lambda place: datasets.index(place.dataset))
    trained = len({row.training_data for row in cells}) > 1
    lines = []
    for row, entries in cells.items():
        runs = {len(result.seeds) for result in entries.values()}
        lines.append(
            [
                row.label,
                *([row.training_data] if trained else []),
                *(
                    render(entries[place], place.column) if place in entries else ''
                    for place in places
                ),
                *([' / '.join(str(run) for run in sorted(runs))] if seeds else []),
            ]
        )
    common = _common_title(cells)
    if len(datasets) == 1:
        subject = f'{task} on {datasets[0]}, %:'
        heads = [place.column.title for place in places]
    else:
        subject = f'{task}, {common}, %:'
        heads = [
            place.dataset
            if place.column.title == common
            else f'{place.dataset}, {place.column.title}'
            for place in places
        ]
    head = ['encoder', *(['trained on'] if trained else []), *heads]
    head += ['seeds'] if seeds else []
    return f'{subject}\n\n{_markdown(head, lines)}'


def _published_cell(result: Result, column: Column) -> str:
    return _join(str(result.metrics.get(metric, '-')) for metric in column.metrics)


def _measured_cell(result: Result, column: Column) -> str:
    return _join(_with_spread(result, metric) for metric in column.metrics)


def _with_spread(result: Result, metric: str) -> str:
    if metric not in result.metrics:
        return '-'
    spread = f'±{result.std[metric]:.1f}' if metric in result.std else ''
    return f'{result.metrics[metric]:.1f}{spread}'


def _join(parts: Iterable[str]) -> str:
    """``a / - / b``, without dashes at the end."""
    parts = list(parts)
    while parts and parts[-1] == '-':
        parts.pop()
    return ' / '.join(parts)


def _config_link(model: ModelEntry, folder: Path) -> str:
    # without the method and the encoder, which the folder and the row name
    short = '_'.join(model.name.split('_')[model.config.parent.name.count('_') + 2 :])
    return f'[{short}]({Path(relpath(model.config, folder)).as_posix()})'


def _weights_link(model: ModelEntry) -> str:
    if model.weights is None:
        return '-'
    address, _, digest = model.weights.partition('#sha256=')
    return f'[{digest[:8]}]({address})'


def _markdown(head: Sequence[str], lines: Iterable[Sequence[str]]) -> str:
    rows = [head, ['---'] * len(head), *lines]
    return '\n'.join('|' + ''.join(_cell(text) for text in row) for row in rows)


def _cell(text: str) -> str:
    escaped = text.replace('|', '\\|')
    return f' {escaped} |' if escaped else ' |'
