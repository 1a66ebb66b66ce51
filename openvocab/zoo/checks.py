"""What must hold in every metafile."""

import re
from collections import Counter
from collections.abc import Iterator, Mapping
from typing import Any

from openvocab.reports.columns import columns_of

from .model_index import ModelEntry, ModelIndex, Result

TASKS = (
    'Region Recognition',
    'Object Detection',
    'Instance Segmentation',
    'Semantic Segmentation',
    'Panoptic Segmentation',
    'Pre-training',
)
_MODEL_KEYS = {
    'Name', 'In Collection', 'Config', 'Metadata', 'Weights', 'Results', 'Measured',
    'Paper',
}  # fmt: skip
_PUBLISHED_KEYS = {'Task', 'Dataset', 'Metrics', 'Label', 'Source'}
_MEASURED_KEYS = {
    'Task', 'Dataset', 'Metrics', 'Label', 'Seeds', 'Std', 'Command',
}  # fmt: skip
_SHA256 = re.compile(r'#sha256=[0-9a-f]{64}$')


def check_index(index: ModelIndex) -> list[str]:
    """Lists what is wrong in the metafiles of an index.

    Files exist and are all listed, names are unique, every config has a row, tasks and
    metrics are known, and published figures carry nothing of measured ones.

    Args:
        index: The index.

    Returns:
        One line per fault; none if all is well.
    """
    return [
        *_check_files(index),
        *(
            f'{model.metafile}: {model.name}: {fault}'
            for model in index
            for fault in _check_model(model, index)
        ),
    ]


def known_metrics(metrics: Mapping[str, float]) -> set[str]:
    """Which of the metrics of one row stand in a column of our tables by a name."""
    return {
        name
        for column in columns_of([metrics])
        for name in column.metrics
        if name != column.title
    }


def _check_files(index: ModelIndex) -> Iterator[str]:
    configs = index.root / 'configs'
    listed = set(index.metafiles)
    for path in configs.glob('*/metafile.yml'):
        relative = path.relative_to(index.root)
        if relative not in listed:
            yield f'model-index.yml: {relative} is not listed'
    for name, collection in index.collections.items():
        readme = collection.get('README')
        if not readme or not (index.root / readme).is_file():
            yield f'collection {name}: README not found: {readme}'
    for name, count in Counter(model.name for model in index).items():
        if count > 1:
            yield f'{name}: {count} entries of this name'
    rows = {model.config for model in index}
    for path in sorted(configs.glob('[!_]*/*.py')):
        if path.relative_to(index.root) not in rows:
            yield f'{path.relative_to(index.root)}: no entry in its metafile'


def _check_model(model: ModelEntry, index: ModelIndex) -> Iterator[str]:
    if not (index.root / model.config).is_file():
        yield f'Config not found: {model.config}'
    if model.config.stem != model.name:
        yield f'Name is not the stem of its config {model.config.name}'
    if model.config.parent != model.metafile.parent:
        yield f'Config {model.config} lies in another folder'
    if model.collection not in index.collections:
        yield f'In Collection: {model.collection!r} is none of the collections'
    yield from _unknown('key', model.raw, _MODEL_KEYS)
    if model.task not in TASKS:
        yield f'Metadata.Task: {model.task!r} is none of {", ".join(TASKS)}'
    for key in ('Encoder', 'Training Data'):
        if not model.metadata.get(key):
            yield f'Metadata: no {key!r}'
    if model.weights is not None and not _SHA256.search(model.weights):
        yield "Weights: does not end with '#sha256=' and 64 hexadecimal digits"
    for kind, results, keys in (
        ('Results', model.published, _PUBLISHED_KEYS),
        ('Measured', model.measured, _MEASURED_KEYS),
    ):
        for result in results:
            where = f'{kind} on {result.dataset}'
            yield from _unknown(f'{where}: key', result.raw, keys)
            yield from (f'{where}: {fault}' for fault in _check_figures(result))
    for result in model.measured:
        where = f'Measured on {result.dataset}'
        yield from (f'{where}: {fault}' for fault in _check_runs(result))


def _unknown(what: str, found: Mapping[str, Any], known: set[str]) -> Iterator[str]:
    for key in found:
        if key not in known:
            yield f'{what} {key!r} is not known'


def _check_figures(result: Result) -> Iterator[str]:
    if result.task not in TASKS:
        yield f'Task: {result.task!r} is none of {", ".join(TASKS)}'
    if not result.metrics:
        yield 'no metrics'
    known = known_metrics(result.metrics)
    for name, value in result.metrics.items():
        if not isinstance(value, (int, float)) or not 0 <= value <= 100:
            yield f'{name}: {value!r} is not a percentage'
        elif name not in known:
            yield f'{name}: not a metric of our reports'


def _check_runs(result: Result) -> Iterator[str]:
    if not result.seeds or not all(isinstance(seed, int) for seed in result.seeds):
        yield 'Seeds: the list of seeds is missing'
    if not result.command:
        yield 'Command: what measured it is missing'
    spread = set(result.std)
    if spread != (set(result.metrics) if len(result.seeds) > 1 else set()):
        yield 'Std: one for every metric, where there are several seeds'
