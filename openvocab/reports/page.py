"""The static page of a comparison: plots, tables, provenance in one HTML file."""

from collections.abc import Iterable, Mapping, Sequence
from html import escape
from typing import Any

from .columns import Column, Row, caption_of, columns_of
from .plot import bar_plot
from .rows import benchmark_of
from .table import measured_text, method_text, published_text

_STYLE = """
:root { color-scheme: light dark; --page: #fcfcfb; --ink: #1b1b1a; --quiet: #6a6a66;
  --line: #e3e3df; --bar: #2f6f9f; --std: #12354f; --published: #d9660b; }
@media (prefers-color-scheme: dark) { :root { --page: #171816; --ink: #ecece8;
  --quiet: #a0a09a; --line: #34352f; --bar: #5b9dcc; --std: #cfe4f3;
  --published: #ffa04d; } }
body { background: var(--page); color: var(--ink); margin: 2rem auto; max-width: 66rem;
  padding: 0 1rem; font: 15px/1.5 system-ui, sans-serif; }
h1 { font-size: 1.6rem; } h2 { font-size: 1.2rem; margin-top: 2.6rem; }
p, summary, caption, .key { color: var(--quiet); }
.scroll { overflow-x: auto; } svg { display: block; width: 100%; min-width: 40rem; }
svg text { font: 12px system-ui, sans-serif; fill: var(--ink); }
svg .panel { font-weight: 600; } svg .tick { fill: var(--quiet); text-anchor: middle;
  font-size: 10.5px; } svg .value { font-variant-numeric: tabular-nums; }
.grid { stroke: var(--line); } .bar { fill: var(--bar); }
.std { stroke: var(--std); stroke-width: 1.5; fill: none; }
svg .published { fill: var(--published); stroke: var(--page); stroke-width: 1; }
table { border-collapse: collapse; margin: 1rem 0; font-variant-numeric: tabular-nums; }
th, td { padding: .25rem .8rem .25rem 0; text-align: right; white-space: nowrap;
  border-bottom: 1px solid var(--line); }
th { vertical-align: bottom; font-weight: 600; white-space: normal; }
th:first-child, td:first-child, .words td, .words th { text-align: left; }
th.published, td.published { color: var(--published); font-weight: 400; }
caption { caption-side: bottom; text-align: left; padding-top: .4rem; }
.swatch { display: inline-block; width: 1.4em; height: .7em; background: var(--bar); }
.diamond { color: var(--published); } details { margin: .4rem 0; }
summary { cursor: pointer; } dl { display: grid; grid-template-columns: max-content 1fr;
  gap: .1rem 1rem; margin: .3rem 0 .3rem 1rem; font-size: .85rem; }
dt { color: var(--quiet); } dd { margin: 0; overflow-wrap: anywhere; }
dd > dl { margin-left: 0; } .failed { border-left: 4px solid var(--published);
  padding-left: 1rem; }
"""


def comparison_page(
    overviews: Iterable[tuple[str, Sequence[Row]]],
    sections: Iterable[tuple[str, Sequence[Row]]],
    runs: Sequence[Row],
    failures: Sequence[str] = (),
) -> str:
    """Writes the page.

    Args:
        overviews: Title and rows of tables over several benchmarks.
        sections: Title and rows of every benchmark, for a plot and a table.
        runs: The rows of all runs, for their provenance.
        failures: Runs that gave no result, in words.

    Returns:
        A whole HTML document, with its style and pictures inside.
    """
    body = ['<h1>Comparison</h1>', f'<p>{_subject(runs)}</p>']
    if failures:
        lines = ''.join(f'<li>{escape(line)}</li>' for line in failures)
        body.append(f'<div class="failed">Failed:<ul>{lines}</ul></div>')
    for title, rows in overviews:
        body += [f'<h2>{escape(title)}</h2>', _table(rows)]
    for title, rows in sections:
        plot = bar_plot(rows, title)
        body += [f'<h2>{escape(title)}</h2>', *([_key(rows)] if plot else [])]
        body += [f'<div class="scroll">{plot}</div>', _table(rows)]
    body += ['<h2>Runs</h2>', *(_run(row) for row in runs)]
    return '\n'.join(
        [
            '<!doctype html>',
            '<html lang="en"><head><meta charset="utf-8">',
            '<meta name="viewport" content="width=device-width, initial-scale=1">',
            f'<title>Comparison</title><style>{_STYLE}</style></head><body>',
            *body,
            '</body></html>\n',
        ]
    )


def _subject(runs: Sequence[Row]) -> str:
    dates = sorted(str((row.get('meta') or {}).get('date', ''))[:10] for row in runs)
    days = [day for day in dict.fromkeys(dates) if day]
    span = '' if not days else f', {" to ".join(dict.fromkeys((days[0], days[-1])))}'
    return f'{len(runs)} run{"" if len(runs) == 1 else "s"}{span}'


def _key(rows: Sequence[Row]) -> str:
    parts = ['<span class="swatch"></span> measured']
    if any(row.get('std') for row in rows):
        parts.append('<b>├┤</b> standard deviation over runs')
    if any(row.get('published') for row in rows):
        parts.append('<span class="diamond">◆</span> published')
    return f'<p class="key">{" &nbsp; ".join(parts)}</p>'


def _table(rows: Sequence[Row]) -> str:
    columns = columns_of(rows)
    compared = [any(published_text(row, c) for row in rows) for c in columns]
    head = ['<th>Method</th>']
    for column, both in zip(columns, compared, strict=True):
        head.append(f'<th>{_heading(column)}</th>')
        head += ['<th class="published">published</th>'] if both else []
    lines = [f'<tr>{"".join(head)}</tr>']
    for row in rows:
        cells = [f'<td>{escape(method_text(row))}</td>']
        for column, both in zip(columns, compared, strict=True):
            cells.append(f'<td>{measured_text(row, column)}</td>')
            if both:
                cells.append(
                    f'<td class="published">{published_text(row, column)}</td>'
                )
        lines.append(f'<tr>{"".join(cells)}</tr>')
    caption = caption_of(columns)
    told = f'<caption>{caption}</caption>' if caption else ''
    return f'<div class="scroll"><table>{told}{"".join(lines)}</table></div>'


def _heading(column: Column) -> str:
    return escape(column.title) + (' ↓' if column.lower_is_better else '')


def _run(row: Row) -> str:
    meta = row.get('meta') or {}
    told = [row['method'], benchmark_of(row), str(meta.get('date', ''))[:16]]
    summary = ' · '.join(escape(part) for part in told if part)
    content = [_list(meta)] if meta else []
    if row.get('confusions'):
        lines = ''.join(
            f'<tr><td>{escape(str(true))}</td><td>{escape(str(found))}</td>'
            f'<td>{count}</td></tr>'
            for true, found, count in row['confusions']
        )
        head = '<tr><th>true</th><th>top-1</th><th>regions</th></tr>'
        content.append(f'<table class="words">{head}{lines}</table>')
    return f'<details><summary>{summary}</summary>{"".join(content)}</details>'


def _list(values: Mapping[str, Any]) -> str:
    items = ''.join(
        f'<dt>{escape(str(key))}</dt><dd>{_value(value)}</dd>'
        for key, value in values.items()
    )
    return f'<dl>{items}</dl>'


def _value(value: Any) -> str:
    if isinstance(value, Mapping):
        return _list(value)
    return escape(f'{value:.4g}' if isinstance(value, float) else str(value))
