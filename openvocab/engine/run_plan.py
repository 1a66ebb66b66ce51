"""Which tests a command line asks for: configs, checkpoints, benchmarks, folders."""

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from mmengine.config import Config

from .benchmarks import benchmark_names, select_benchmark

ALL = 'all'
NO_CHECKPOINT = '-'
_CONFIGS = ('.py', '.json', '.yml', '.yaml')
_ROOT = Path('work_dirs')


@dataclass(frozen=True)
class PlannedRun:
    """One model on one benchmark.

    Attributes:
        config: Path of the config.
        checkpoint: What ``tools/train.py`` wrote; None: the model as its config builds
            it.
        benchmark: One of the config's benchmarks; None: its own one, not asked for.
        method: Name of the row; None: that of the config.
        folder: Work directory; None: what the config says.
    """

    config: str
    checkpoint: str | None = None
    benchmark: str | None = None
    method: str | None = None
    folder: Path | None = None

    @property
    def stem(self) -> str:
        """Name of the config."""
        return Path(self.config).stem

    @property
    def title(self) -> str:
        """The run in words."""
        benchmark = f' on {self.benchmark}' if self.benchmark else ''
        return f'{self.method or self.stem}{benchmark}'


def plan_runs(
    words: Sequence[str],
    benchmarks: Sequence[str] | None = None,
    methods: Sequence[str] | None = None,
    work_dir: str | None = None,
) -> tuple[Path, list[PlannedRun]]:
    """Lists the runs that a command line asks for.

    Args:
        words: Configs and checkpoints; a checkpoint belongs to all configs before it
            that have none yet, ``-`` says that they have none.
        benchmarks: Names for every config, or ``all``; None: each config's own one.
        methods: Names of the rows, one per config.
        work_dir: Folder of a single run, and of the folders of several.

    Returns:
        The folder of all runs together, and the runs, each with a folder of its own.

    Raises:
        ValueError: If the words do not fit each other, a config has no such benchmark,
            or a run is asked for twice.
    """
    configs = _pair(words)
    if methods:
        if len(methods) != len(configs):
            raise ValueError(
                f'{len(methods)} names (--method) for {len(configs)} configs'
            )
        configs = [
            replace(run, method=method)
            for run, method in zip(configs, methods, strict=True)
        ]
    runs = [run for config in configs for run in _each_benchmark(config, benchmarks)]
    for run, count in Counter(runs).items():
        if count > 1:
            raise ValueError(f'{run.title}: asked for {count} times')
    alone = len(configs) == 1
    root = _ROOT / (configs[0].stem if alone else 'comparison')
    root = Path(work_dir) if work_dir else root
    if len(runs) == 1:
        return root, [replace(runs[0], folder=_folder_of_one(runs[0], root, work_dir))]
    runs = runs if methods else _with_names(runs)
    return root, _with_folders(runs, root, alone)


def _pair(words: Sequence[str]) -> list[PlannedRun]:
    runs: list[PlannedRun] = []
    waiting: list[str] = []
    for word in words:
        if Path(word).suffix in _CONFIGS:
            waiting.append(word)
            continue
        if not waiting:
            raise ValueError(f'{word}: a checkpoint stands behind its configs')
        checkpoint = None if word == NO_CHECKPOINT else word
        runs += [PlannedRun(config, checkpoint) for config in waiting]
        waiting = []
    return runs + [PlannedRun(config) for config in waiting]


def _each_benchmark(
    run: PlannedRun, benchmarks: Sequence[str] | None
) -> list[PlannedRun]:
    if benchmarks is None:
        return [run]
    if ALL in benchmarks:
        benchmarks = benchmark_names(Config.fromfile(run.config))
    for name in benchmarks:
        select_benchmark(Config.fromfile(run.config), name)
    return [replace(run, benchmark=name) for name in benchmarks]


def _folder_of_one(run: PlannedRun, root: Path, work_dir: str | None) -> Path | None:
    if work_dir:
        return root
    # Not into the folder of the config's own benchmark, whose report is there.
    return root / run.benchmark if run.benchmark else None


def _with_names(runs: Sequence[PlannedRun]) -> list[PlannedRun]:
    """Names runs of equally named configs, as equal rows would count as repetitions."""
    sources: dict[str, list[tuple[str, str | None]]] = {}
    for run in runs:
        known = sources.setdefault(run.stem, [])
        if (run.config, run.checkpoint) not in known:
            known.append((run.config, run.checkpoint))
    named = []
    for run in runs:
        known = sources[run.stem]
        if len(known) > 1:
            own = (run.config, run.checkpoint)
            describe = next(
                d for d in _DESCRIPTIONS if len({d(*k) for k in known}) == len(known)
            )
            run = replace(run, method=f'{run.stem} ({describe(*own)})')
        named.append(run)
    return named


def _checkpoint(config: str, checkpoint: str | None) -> str:
    return Path(checkpoint).stem if checkpoint else 'no checkpoint'


def _checkpoint_and_folder(config: str, checkpoint: str | None) -> str:
    if not checkpoint:
        return 'no checkpoint'
    path = Path(checkpoint)
    return f'{path.parent.name}/{path.stem}'


def _everything(config: str, checkpoint: str | None) -> str:
    return f'{config}, {checkpoint or "no checkpoint"}'


_DESCRIPTIONS = (_checkpoint, _checkpoint_and_folder, _everything)


def _with_folders(
    runs: Sequence[PlannedRun], root: Path, alone: bool
) -> list[PlannedRun]:
    placed: list[PlannedRun] = []
    used: Counter[str] = Counter()
    for run in runs:
        label = run.title.replace(' on ', '-') if run.benchmark else run.title
        name = run.benchmark if alone and run.benchmark else label
        name = re.sub(r'[^\w.+-]+', '_', name).strip('_')
        used[name] += 1
        if used[name] > 1:
            name = f'{name}-{used[name]}'
        placed.append(replace(run, folder=root / name))
    return placed
