"""How the rows of a report are laid out: on a console and in markdown."""

from collections.abc import Sequence

from rich import box
from rich.cells import cell_len
from rich.console import Group
from rich.table import Table
from rich.text import Text

from .report_columns import Column, Row, caption_of, columns_of, related


def rich_tables(rows: Sequence[Row]) -> Group:
    """Builds the console tables, one per kind of rows (:func:`related`).

    Published figures stand dim under the measured ones.
    """
    return Group(*(_rich_table(group) for group in related(rows)))


def _rich_table(rows: Sequence[Row]) -> Table:
    columns = columns_of(rows)
    table = Table(
        title='Report',
        caption=caption_of(columns),
        box=box.SIMPLE_HEAD,
        padding=(0, 1, 0, 0),
        pad_edge=False,
    )
    table.add_column('Method', overflow='fold')
    body = [[_rich_cell(row, column) for column in columns] for row in rows]
    for column, cells in zip(columns, zip(*body, strict=True), strict=False):
        # Numbers are never broken; the method and the headings give way.
        width = max(cell_len(line) for cell in cells for line in cell.plain.split('\n'))
        table.add_column(column.title, justify='right', min_width=width)
    for row, cells in zip(rows, body, strict=True):
        table.add_row(Text(_method(row)), *cells)
    return table


def _rich_cell(row: Row, column: Column) -> Text:
    # Narrow: a line per metric where each has a deviation, no blanks elsewhere.
    cell = Text(_measured(row, column, '\n' if row.get('std') else '/'))
    published = _published(row, column, '/')
    if published:
        cell.append(f'\n({published})', style='dim')
    return cell


def markdown_tables(rows: Sequence[Row]) -> str:
    """Builds the same tables in markdown."""
    return '\n\n'.join(_markdown_table(group) for group in related(rows))


def _markdown_table(rows: Sequence[Row]) -> str:
    columns = columns_of(rows)
    lines = [
        _markdown_row(['Method', *(column.title for column in columns)]),
        _markdown_row(['---', *('---:' for _ in columns)]),
    ]
    for row in rows:
        cells = [_method(row)]
        for column in columns:
            published = _published(row, column)
            cells.append(
                _measured(row, column) + (f' ({published})' if published else '')
            )
        lines.append(_markdown_row(cells))
    caption = caption_of(columns)
    if caption:
        lines += ['', caption]
    return '\n'.join(lines)


def _markdown_row(cells: Sequence[str]) -> str:
    return f'| {" | ".join(cell.replace("|", chr(92) + "|") for cell in cells)} |'


def _method(row: Row) -> str:
    runs = row.get('runs', 1)
    return row['method'] if runs == 1 else f'{row["method"]} ({runs} runs)'


def _measured(row: Row, column: Column, joint: str = ' / ') -> str:
    std = row.get('std') or {}
    return _cell([_number(row.get(m), std.get(m)) for m in column.metrics], joint)


def _published(row: Row, column: Column, joint: str = ' / ') -> str:
    published = row.get('published') or {}
    numbers = [_number(published.get(metric)) for metric in column.metrics]
    return '' if set(numbers) == {'-'} else _cell(numbers, joint)


def _cell(numbers: Sequence[str], joint: str) -> str:
    return '-' if set(numbers) == {'-'} else joint.join(numbers)


def _number(value: float | None, std: float | None = None) -> str:
    if value is None or value != value:
        return '-'
    return f'{value:.1f}' if std is None else f'{value:.1f}±{std:.1f}'
