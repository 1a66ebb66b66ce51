"""A plot of rows as SVG: measured bars, deviations, published markers.

One line per method, one panel per metric, all panels on one scale. Colours are CSS
variables of the page, so that the plot follows a dark page.
"""

import math
from collections.abc import Sequence
from html import escape
from typing import NamedTuple

from .columns import Column, Row, metric_title, plotted_of
from .table import method_text, number_text

# in units of the view box, about a pixel each
_WIDTH = 960
_CHARACTER = 6.6
_LABEL_CHARACTERS = 44
_PANEL = 150
_GAP = 22
_LINE = 26
_BAR = 12
_HEAD = 30
_FOOT = 26
_NUMBER = 66


class _Panel(NamedTuple):
    metric: str
    title: str


def bar_plot(rows: Sequence[Row], name: str) -> str:
    """Draws rows of one benchmark.

    Args:
        rows: As in :meth:`Report.summary`, one per method.
        name: What is drawn, for readers who do not see it.

    Returns:
        An ``<svg>`` element; empty if there is nothing to draw.
    """
    panels = [_Panel(m, _title(m, column)) for m, column in plotted_of(rows)]
    if not panels:
        return ''
    top = _upper_end(rows, panels)
    label = max(min(len(method_text(row)), _LABEL_CHARACTERS) for row in rows)
    left = label * _CHARACTER + 12
    fit = max(1, int((_WIDTH - left + _GAP) / (_PANEL + _GAP)))
    lines = math.ceil(len(panels) / fit)
    columns = math.ceil(len(panels) / lines)
    width = (_WIDTH - left + _GAP) / columns - _GAP
    height = _HEAD + _LINE * len(rows) + _FOOT
    parts = [
        f'<svg viewBox="0 0 {_WIDTH} {height * lines}" role="img" '
        f'aria-label="{escape(name)}" xmlns="http://www.w3.org/2000/svg">'
    ]
    for line in range(lines):
        y = line * height
        parts += [_method(row, y + _HEAD + i * _LINE) for i, row in enumerate(rows)]
        for place, panel in enumerate(panels[line * columns : (line + 1) * columns]):
            x = left + place * (width + _GAP)
            parts.append(_draw(rows, panel, x, y, width - _NUMBER, top))
    return '\n'.join([*parts, '</svg>'])


def _title(metric: str, column: Column) -> str:
    title = metric_title(metric, column)
    return f'{title} (less is better)' if column.lower_is_better else title


def _upper_end(rows: Sequence[Row], panels: Sequence[_Panel]) -> float:
    """The end of the scale: a round number at or above everything drawn."""
    values = [0.0]
    for panel in panels:
        for row in rows:
            value, std, published = _figures(row, panel.metric)
            values += [(value or 0.0) + std, published or 0.0]
    step = _step(max(values))
    return math.ceil(max(values) / step - 1e-9) * step or 1.0


def _step(end: float) -> float:
    """A round distance of grid lines: at most four of them up to ``end``."""
    if end <= 0:
        return 1.0
    power = 10 ** math.floor(math.log10(end / 4))
    return next(f * power for f in (1, 2, 2.5, 5, 10) if f * power * 4 >= end * 0.999)


def _figures(row: Row, metric: str) -> tuple[float | None, float, float | None]:
    std = (row.get('std') or {}).get(metric) or 0.0
    return row.get(metric), std, (row.get('published') or {}).get(metric)


def _method(row: Row, y: float) -> str:
    text = method_text(row)
    short = text
    if len(text) > _LABEL_CHARACTERS:
        short = text[: _LABEL_CHARACTERS - 1] + '…'
    return (
        f'<text class="method" x="0" y="{y + _LINE / 2 + 4:g}">{escape(short)}'
        f'<title>{escape(text)}</title></text>'
    )


def _draw(
    rows: Sequence[Row],
    panel: _Panel,
    x: float,
    y: float,
    width: float,
    top: float,
) -> str:
    bottom = y + _HEAD + _LINE * len(rows)
    parts = [f'<text class="panel" x="{x:.1f}" y="{y + 18:g}">{panel.title}</text>']
    step = _step(top)
    for i in range(math.floor(top / step + 1e-9) + 1):
        at = x + width * i * step / top
        parts.append(
            f'<line class="grid" x1="{at:.1f}" x2="{at:.1f}" y1="{y + _HEAD - 2:g}" '
            f'y2="{bottom:g}"/><text class="tick" x="{at:.1f}" y="{bottom + 14:g}">'
            f'{i * step:g}</text>'
        )
    for i, row in enumerate(rows):
        middle = y + _HEAD + (i + 0.5) * _LINE
        parts.append(_bar(row, panel, x, middle, width / top))
    return ''.join(parts)


def _bar(row: Row, panel: _Panel, x: float, y: float, scale: float) -> str:
    value, std, published = _figures(row, panel.metric)
    text = number_text(value, (row.get('std') or {}).get(panel.metric))
    told = f'{method_text(row)}, {panel.title}: {text}'
    parts, end = [], x
    if value is not None:
        end = x + max(value, 0) * scale
        parts.append(
            f'<rect class="bar" x="{x:.1f}" y="{y - _BAR / 2:g}" '
            f'width="{end - x:.1f}" height="{_BAR}"/>'
        )
    if std:
        low, high = max(end - std * scale, x), end + std * scale
        parts.append(
            f'<path class="std" d="M{low:.1f} {y:g}H{high:.1f}M{low:.1f} {y - 3:g}v6'
            f'M{high:.1f} {y - 3:g}v6"/>'
        )
        end = high
    at = end + 5
    if published is not None:
        mark = x + published * scale
        parts.append(
            f'<path class="published" d="M{mark:.1f} {y - 7:g}l5 7l-5 7l-5 -7z"/>'
        )
        told += f', published {number_text(published)}'
        # The figure is the bar's: it goes behind the marker only if it would hit it.
        if mark - 8 < at + len(text) * _CHARACTER and mark + 5 > end:
            at = mark + 9
    parts.append(f'<text class="value" x="{at:.1f}" y="{y + 4:g}">{text}</text>')
    return f'<g>{"".join(parts)}<title>{escape(told)}</title></g>'
