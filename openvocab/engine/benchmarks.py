"""One config, several benchmarks: each with its data set and its settings.

A config of a method that is scored on many data sets holds, beside its own one::

    benchmarks = dict(
        pc59=dict(logit_scale=40, prob_thd=None),
        coco_object=dict(vocabulary=dict(merge=['background_words_26', 'coco_80'])))

A name is that of a file ``configs/_base_/datasets/NAME_segmentation.py``; what stands
behind it is merged into ``model``, except ``vocabulary``, which replaces that of the
data set.
"""

from pathlib import Path
from typing import Any

from mmengine.config import Config

from openvocab.reports.rows import benchmark_in_name

_DATASETS = Path(__file__).parents[1] / '.mim' / 'configs' / '_base_' / 'datasets'


def own_benchmark(cfg: Config) -> str:
    """What a config calls its ``benchmark``, else :func:`benchmark_in_name`."""
    return cfg.get('benchmark') or benchmark_in_name(cfg.filename)


def benchmark_names(cfg: Config) -> tuple[str, ...]:
    """Names of all benchmarks of a config, its own first."""
    return own_benchmark(cfg), *cfg.get('benchmarks', {})


def select_benchmark(cfg: Config, name: str) -> None:
    """Turns a config into that of another benchmark, in place.

    Data set and metric become those of the benchmark, the pipeline stays; classes are
    seen or unseen by the data set's own splits, as nothing was trained.

    Args:
        cfg: The config, as read from its file.
        name: One of :func:`benchmark_names`; its own one changes nothing.

    Raises:
        ValueError: The config has no such benchmark, or there is no data set of that
            name.
    """
    if name == own_benchmark(cfg):
        return
    if name not in benchmark_names(cfg):
        raise ValueError(
            f'benchmark {name!r} is none of {cfg.filename}: '
            f'{", ".join(benchmark_names(cfg))}'
        )
    path = _DATASETS / f'{name}_segmentation.py'
    if not path.is_file():
        raise ValueError(f'benchmark {name!r}: there is no config {path}')
    data = Config.fromfile(path)
    settings: dict[str, Any] = cfg.benchmarks[name].to_dict()
    dataset = data.test_dataloader.dataset
    dataset.pipeline = cfg.test_dataloader.dataset.pipeline
    dataset.vocabulary = settings.pop('vocabulary', dataset.vocabulary)
    cfg.test_dataloader.dataset = dataset
    cfg.test_evaluator = dict(data.test_evaluator, train_vocabulary=None)
    cfg.merge_from_dict(dict(model=settings))
    cfg.model.text_bank.vocabulary = dataset.vocabulary
