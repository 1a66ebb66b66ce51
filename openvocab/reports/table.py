"""How the rows of a report are laid out: on a console and in markdown."""

from collections.abc import Sequence

from rich import box
from rich.cells import cell_len
from rich.console import Console, Group, RenderableType
from rich.table import Table
from rich.text import Text

from .columns import Column, Row, caption_of, columns_of, related

# Where nothing is a terminal, lines may be as long as they need to be.
_UNBOUNDED = 10_000


def show(content: RenderableType, console: Console | None = None) -> None:
    """Prints tables, by default to standard output.

    A terminal folds them to its width. In files, pipes and logs they keep their natural
    width: rich assumes 80 columns there, which breaks headings and names apart.
    """
    console = console or Console()
    if console.is_terminal:
        console.print(content)
        return
    options = console.options.update(width=_UNBOUNDED, max_width=_UNBOUNDED)
    parts = content.renderables if isinstance(content, Group) else [content]
    natural = max(
        (console.measure(part, options=options).maximum for part in parts), default=0
    )
    given = console.width
    console.width = max(given, natural)
    console.print(content)
    console.width = given


def rich_tables(rows: Sequence[Row]) -> Group:
    """Builds the console tables, one per kind of rows (:func:`related`).

    Published figures stand dim under the measured ones.
    """
    return Group(*(rich_table(group) for group in related(rows)))


def rich_table(rows: Sequence[Row], title: str = 'Report') -> Table:
    """Builds one console table of related rows."""
    columns = columns_of(rows)
    table = Table(
        title=title,
        caption=_caption(rows, columns),
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
        table.add_row(Text(method_text(row)), *cells)
    return table


def _rich_cell(row: Row, column: Column) -> Text:
    # Narrow: a line per metric where each has a deviation, no blanks elsewhere.
    cell = Text(measured_text(row, column, '\n' if row.get('std') else '/'))
    published = published_text(row, column, '/')
    if published:
        cell.append(f'\n({published})', style='dim')
    return cell


def markdown_tables(rows: Sequence[Row]) -> str:
    """Builds the same tables in markdown."""
    return '\n\n'.join(markdown_table(group) for group in related(rows))


def markdown_table(rows: Sequence[Row]) -> str:
    """Builds one table of related rows in markdown."""
    columns = columns_of(rows)
    lines = [
        _markdown_row(['Method', *(column.title for column in columns)]),
        _markdown_row(['---', *('---:' for _ in columns)]),
    ]
    for row in rows:
        cells = [method_text(row)]
        for column in columns:
            published = published_text(row, column)
            cells.append(
                measured_text(row, column) + (f' ({published})' if published else '')
            )
        lines.append(_markdown_row(cells))
    caption = _caption(rows, columns)
    if caption:
        lines += ['', caption]
    return '\n'.join(lines)


def _caption(rows: Sequence[Row], columns: Sequence[Column]) -> str | None:
    parts = [caption_of(columns)]
    if any(row.get('published') for row in rows):
        parts.append('In brackets: the published figure.')
    return ' '.join(part for part in parts if part) or None


def _markdown_row(cells: Sequence[str]) -> str:
    return f'| {" | ".join(cell.replace("|", chr(92) + "|") for cell in cells)} |'


def method_text(row: Row) -> str:
    """The method and, where it is a mean, over how many runs."""
    runs = row.get('runs', 1)
    return row['method'] if runs == 1 else f'{row["method"]} ({runs} runs)'


def measured_text(row: Row, column: Column, joint: str = ' / ') -> str:
    """The measured figures of a cell; a dash where there are none."""
    std = row.get('std') or {}
    return _cell([number_text(row.get(m), std.get(m)) for m in column.metrics], joint)


def published_text(row: Row, column: Column, joint: str = ' / ') -> str:
    """The published figures of a cell; empty where there are none."""
    published = row.get('published') or {}
    numbers = [number_text(published.get(metric)) for metric in column.metrics]
    return '' if set(numbers) == {'-'} else _cell(numbers, joint)


def _cell(numbers: Sequence[str], joint: str) -> str:
    return '-' if set(numbers) == {'-'} else joint.join(numbers)


def number_text(value: float | None, std: float | None = None) -> str:
    """A figure with one decimal, with its deviation where there is one."""
    if value is None or value != value:
        return '-'
    return f'{value:.1f}' if std is None else f'{value:.1f}±{std:.1f}'
