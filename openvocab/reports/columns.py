"""Which columns a report has, and what stands in them."""

import re
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

Row = Mapping[str, Any]

_NONE = type(None)
# What of a row is not a metric, and its types in a file.
ATTRIBUTES: Mapping[str, tuple[type, ...]] = {
    'method': (str,),
    'published': (dict, _NONE),
    'confusions': (list, _NONE),
    'meta': (dict, _NONE),
    'std': (dict, _NONE),
    'runs': (int,),
}
# The types of a metric; None is one that is not a number.
METRIC = (int, float, _NONE)


class Column(NamedTuple):
    """One column.

    Attributes:
        title: Its heading.
        metrics: What a cell shows, joined by a slash.
        lower_is_better: Whether these are errors.
        secondary: Whether it is left out of plots.
    """

    title: str
    metrics: tuple[str, ...]
    lower_is_better: bool = False
    secondary: bool = False


_REGIONS = (
    Column('Boxes', ('boxes_top1', 'boxes_top5')),
    Column('Masks-T', ('masks_t_top1', 'masks_t_top5')),
    Column('Masks-S', ('masks_s_top1', 'masks_s_top5')),
    Column('Crops', ('crops_top1', 'crops_top5')),
)
_KNOWN = (
    *_REGIONS,
    Column('Stuff as thing', ('stuff_as_thing',), lower_is_better=True),
    Column('Thing as stuff', ('thing_as_stuff',), lower_is_better=True),
    Column('mIoU', ('miou',)),
    Column('mIoU (union)', ('miou_union',), secondary=True),
    Column('Seen', ('miou_seen',)),
    Column('Unseen', ('miou_unseen',)),
    Column('hIoU', ('hiou',)),
    Column('fwIoU', ('fwiou',), secondary=True),
    Column('Pixel acc.', ('pacc',), secondary=True),
    Column('Hallucinated', ('hallucination',), lower_is_better=True),
)


def _detection(iou_type: str, word: str) -> tuple[Column, ...]:
    """How detection is compared: LVIS, OV-COCO and its like, transfer.

    The last metric of the first three is measured everywhere, the others are not.
    """
    layouts = (
        ('APr/c/f/all', ('apr', 'apc', 'apf', 'ap')),
        ('AP50 novel/base/all', ('ap50_novel', 'ap50_base', 'ap50')),
        ('AP50 unseen/seen/all', ('ap50_unseen', 'ap50_seen', 'ap50')),
        ('AP/50/75', ('ap', 'ap50', 'ap75')),
    )
    return tuple(
        Column(f'{word} {title}', tuple(f'{iou_type}_{name}' for name in names))
        for title, names in layouts
    )


_DETECTION = (_detection('bbox', 'Box'), _detection('segm', 'Mask'))
# One column per row and kind is enough; report.json has all of these.
_DETECTION_METRIC = re.compile(r'(bbox|segm)_(ap)(\d*[rcfsml]?)(?:_(\w+))?')


def metrics_of(row: Row) -> dict[str, float]:
    """Returns the metrics of a row, without those that were not measured."""
    return {
        name: value
        for name, value in row.items()
        if name not in ATTRIBUTES and isinstance(value, (int, float))
    }


def columns_of(rows: Sequence[Row]) -> list[Column]:
    """Returns the columns that the rows fill: the known ones, then one per metric."""
    measured = dict.fromkeys(name for row in rows for name in metrics_of(row))
    known = [column for column in _KNOWN if any(m in measured for m in column.metrics)]
    for layouts in _DETECTION:
        chosen = {_layout(metrics_of(row), layouts) for row in rows}
        known += [column for column in layouts if column in chosen]
    shown = {metric for column in known for metric in column.metrics}
    return known + [
        Column(name, (name,))
        for name in measured
        if name not in shown and not _DETECTION_METRIC.match(name)
    ]


def related(rows: Sequence[Row]) -> list[list[Row]]:
    """Groups rows that have a column in common: each group is a table of its own.

    Rows keep their order, groups that of their first rows.
    """
    groups: list[tuple[list[Row], set[Column]]] = []
    for row in rows:
        columns = set(columns_of([row]))
        joined = [group for group in groups if group[1] & columns]
        groups = [group for group in groups if not group[1] & columns]
        members = [member for group in joined for member in group[0]] + [row]
        groups.append((members, columns.union(*(group[1] for group in joined))))
    order = {id(row): i for i, row in enumerate(rows)}
    sorted_groups = [sorted(rows, key=lambda r: order[id(r)]) for rows, _ in groups]
    return sorted(sorted_groups, key=lambda group: order[id(group[0])])


def _layout(metrics: Mapping[str, float], layouts: Sequence[Column]) -> Column | None:
    for column in layouts:
        if any(name in metrics for name in column.metrics[:-1]):
            return column
    return None


def task_of(rows: Sequence[Row]) -> str:
    """What rows of a table are results of, in the words of the model zoo."""
    columns = columns_of(rows)
    if any(column in _REGIONS for column in columns):
        return 'Region Recognition'
    for layouts, task in zip(
        _DETECTION, ('Object Detection', 'Instance Segmentation'), strict=True
    ):
        if any(column in layouts for column in columns):
            return task
    if any('miou' in column.metrics for column in columns):
        return 'Semantic Segmentation'
    return 'Other measures'


def plotted_of(rows: Sequence[Row]) -> list[tuple[str, Column]]:
    """Returns the metrics that a plot of the rows shows, each with its column.

    Of regions the top-1 figures; unknown metrics only where there are no others, as
    they need not be percentages.
    """
    columns = columns_of(rows)
    known = [c for c in columns if c in _KNOWN or any(c in d for d in _DETECTION)]
    primary = [c for c in known if not c.secondary] or known or columns
    measured = {name for row in rows for name in metrics_of(row)}
    return [
        (metric, column)
        for column in primary
        for metric in column.metrics[: 1 if column in _REGIONS else None]
        if metric in measured
    ]


def metric_title(metric: str, column: Column) -> str:
    """Names one metric of a column."""
    if len(column.metrics) == 1:
        return column.title
    if column in _REGIONS:
        return f'{column.title} top-{metric[-1]}'
    kind, ap, which, split = _DETECTION_METRIC.fullmatch(metric).groups()
    # figures of all classes stand beside those of splits
    every = any('_' in name[5:] for name in column.metrics)
    word = dict(bbox='Box', segm='Mask')[kind]
    return f'{word} {ap.upper()}{which} {split or ("all" if every else "")}'.strip()


def caption_of(columns: Sequence[Column]) -> str | None:
    """Explains cells of several numbers; None if there are none."""
    parts = []
    if any(column in _REGIONS for column in columns):
        parts.append('Regions: top-1 / top-5 mean class accuracy, %.')
    if any(column in layouts for layouts in _DETECTION for column in columns):
        parts.append('Box, Mask: average precision, %.')
    return ' '.join(parts) or None
