"""What a row of a report is about: its method, its benchmark, its repetitions."""

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from statistics import fmean, stdev
from typing import Any

from .columns import Row, metrics_of


def benchmark_in_name(config: str | Path) -> str:
    """Name of the benchmark that a config is written for: the end of its file name."""
    return Path(config).stem.rsplit('_', 1)[-1].replace('-', '_')


def benchmark_of(row: Row) -> str | None:
    """Name of the benchmark: ``meta.benchmark``, else the end of the config's name."""
    meta = row.get('meta') or {}
    if meta.get('benchmark'):
        return str(meta['benchmark'])
    return benchmark_in_name(meta['config']) if meta.get('config') else None


def label_of(row: Row) -> str:
    """The method; where it is but the name of its config, without the data set.

    So that configs which differ in their data set only are one method on several
    benchmarks.
    """
    method, config = row['method'], (row.get('meta') or {}).get('config')
    if config and Path(config).stem == method and '_' in method:
        return method.rpartition('_')[0]
    return method


def summarise(rows: Iterable[Row]) -> list[dict[str, Any]]:
    """Averages rows of the same method and benchmark, in order of appearance.

    Averages of several rows also hold ``runs``, their number, and ``std``: metric ->
    sample standard deviation over the runs that measured it, where two or more did.
    """
    groups: dict[tuple[str, str | None], list[Row]] = {}
    for row in rows:
        groups.setdefault((row['method'], benchmark_of(row)), []).append(row)
    return [_average(group) for group in groups.values()]


def _average(rows: Sequence[Row]) -> dict[str, Any]:
    if len(rows) == 1:
        return dict(rows[0])
    values: dict[str, list[float]] = {}
    for row in rows:
        for name, value in metrics_of(row).items():
            values.setdefault(name, []).append(value)
    published = next((row['published'] for row in rows if row.get('published')), None)
    return {
        'method': rows[0]['method'],
        **{name: fmean(series) for name, series in values.items()},
        'std': {name: stdev(s) for name, s in values.items() if len(s) > 1},
        'runs': len(rows),
        **({'published': published} if published else {}),
        'meta': _common([row.get('meta') or {} for row in rows]),
    }


def _common(metas: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    first, *others = metas
    return {k: v for k, v in first.items() if all(m.get(k) == v for m in others)}
