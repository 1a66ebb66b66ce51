"""Times the steps of one config, or of two in turns.

Call graph::

    Workload (Runner: model, loader, optimizer)
    run -> Workload.warm_up
        -> Workload.block, two configs in turns: one rate per block
        -> Workload.result: medians by part, loader rate, synchronisations
"""

import copy
import statistics
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import torch
from mmengine.config import Config
from mmengine.runner import Runner
from torch.utils.data import DataLoader

from openvocab.device import device_name

from .benchmark_result import Comparison, PartTime, Result
from .flops import FlopMeter
from .host_sync import find_synchronisations
from .loader_rate import measure_loader
from .memory import PeakMemory
from .step_parts import attach
from .timed_step import TimedStep
from .timing import StepTimer, clock_for

DATA = 'data'


class Workload:
    """One config, ready to step: what ``tools/train.py`` or ``test.py`` would run.

    Args:
        cfg: As :func:`read_config` returns it.
        kind: What is timed.
        device: Where the model runs.
        name: For the report.

    Raises:
        ValueError: If the loader gives no batch.
    """

    def __init__(
        self, cfg: Config, kind: type[TimedStep], device: torch.device, name: str
    ) -> None:
        self.device, self.name = device, name
        self.memory = PeakMemory(device)
        with self.memory.held():
            self._build(cfg, kind)
        self._batches = _endless(self.loader)
        self._timer = StepTimer(clock_for(device))
        self._steps: list[dict[str, float]] = []
        self._shape: tuple[int, ...] = ()

    def _build(self, cfg: Config, kind: type[TimedStep]) -> None:
        runner = Runner.from_cfg(_only_model(cfg))
        runner._init_model_weights()  # as Runner.train does
        self.model = runner.model.to(self.device)
        self.loader = runner.build_dataloader(cfg[kind.dataloader], seed=runner.seed)
        if len(self.loader) == 0:
            raise ValueError(
                f'{self.name}: {len(self.loader.dataset)} image(s) give no batch of '
                f'{self.loader.batch_sampler.batch_size}; pass a smaller --batch-size'
            )
        self.step = kind(runner, cfg, self.model)

    def warm_up(self, steps: int) -> None:
        """Steps that count for nothing but for what stays in memory."""
        with self.memory.held():
            for _ in range(steps):
                self.step.compute(next(self._batches))

    def block(self, steps: int) -> float:
        """Times steps.

        Returns:
            Images per second by the median step, waiting for data included.
        """
        rates = []
        with attach(self._timer, self.model, self.step.optim_wrapper):
            for _ in range(steps):
                with self.memory.step(), self._timer.step():
                    with self._timer.part(DATA):
                        batch = next(self._batches)
                    self.step.compute(batch)
                self._steps.append(self._timer.seconds)
                self._shape = tuple(batch['inputs'][0].shape)
                rates.append(len(batch['inputs']) / sum(self._timer.seconds.values()))
        return statistics.median(rates)

    def result(self, images_per_second: float) -> Result:
        """Sums up all blocks.

        Args:
            images_per_second: Median rate of the blocks.
        """
        names = dict.fromkeys(name for step in self._steps for name in step)
        totals = [sum(step.values()) for step in self._steps]
        medians = {
            name: statistics.median(step.get(name, 0.0) for step in self._steps)
            for name in names
        }
        whole = sum(medians.values())
        parts = [PartTime(name, time, time / whole) for name, time in medians.items()]
        parts.sort(key=lambda part: -part.seconds)
        batch = next(self._batches)
        computing = statistics.median(
            total - step[DATA] for total, step in zip(totals, self._steps, strict=True)
        )
        model_rate = len(batch['inputs']) / computing
        return Result(
            config=self.name,
            mode=self.step.name,
            device=device_name(self.device),
            precision=self._precision(),
            batch_size=len(batch['inputs']),
            input_shape=self._shape,
            steps=len(self._steps),
            step_seconds=statistics.median(totals),
            images_per_second=images_per_second,
            images_per_second_data_ready=model_rate,
            peak_memory=self.memory.peak,
            peak_memory_kind=self.memory.kind,
            parts=parts,
            synchronisations=find_synchronisations(
                lambda: self.step.compute(batch), self.device
            ),
            loader=measure_loader(self.loader, model_rate),
            flops_per_step=self._flops(batch),
        )

    def _flops(self, batch: dict[str, Any]) -> int | None:
        # On a CPU attention would have to hold all pairs of tokens to be counted.
        if self.device.type != 'cuda':
            return None
        with FlopMeter(fused_attention=True) as meter:
            self.step.compute(batch)
        return meter.flops.total()

    def _precision(self) -> str:
        with self.step.autocast():
            if self.device.type == 'cuda' and torch.is_autocast_enabled():
                return f'autocast {torch.get_autocast_gpu_dtype()}'
            if self.device.type == 'cpu' and torch.is_autocast_cpu_enabled():
                return f'autocast {torch.get_autocast_cpu_dtype()}'
        return str(torch.get_default_dtype())


def run(
    workloads: Sequence[Workload],
    steps: int,
    warmup: int,
    pairs: int,
    progress: Callable[[str], None] = lambda text: None,
) -> Comparison:
    """Times one config, or two in turns.

    Two configs take turns pair by pair, each first in every second pair, so that
    neither a drift of the clock rate nor the order favours one.

    Args:
        workloads: One or two.
        steps: Timed steps per block.
        warmup: Untimed steps of each config.
        pairs: Number of pairs; one config is timed for a single block.
        progress: Told what is being done.
    """
    for workload in workloads:
        progress(f'warming up {workload.name}')
        workload.warm_up(warmup)
    rates: list[list[float]] = [[] for _ in workloads]
    rounds = pairs if len(workloads) > 1 else 1
    for number in range(rounds):
        order = list(enumerate(workloads))
        for index, workload in order if number % 2 == 0 else reversed(order):
            progress(f'timing {workload.name} ({number + 1} of {rounds})')
            rates[index].append(workload.block(steps))
    progress('timing the loader')
    results = [
        workload.result(statistics.median(block_rates))
        for workload, block_rates in zip(workloads, rates, strict=True)
    ]
    ratios = []
    if len(rates) > 1:
        ratios = [first / second for first, second in zip(*rates, strict=True)]
    return Comparison(results, ratios)


def _only_model(cfg: Config) -> Config:
    """The config without loops: a Runner insists on complete ones."""
    kinds = ('dataloader', 'cfg', 'evaluator')
    loops = [f'{loop}_{kind}' for loop in ('train', 'val', 'test') for kind in kinds]
    cfg = copy.deepcopy(cfg)
    for key in (*loops, 'optim_wrapper', 'param_scheduler', 'auto_scale_lr'):
        cfg[key] = None
    return cfg


def _endless(loader: DataLoader) -> Iterator[dict[str, Any]]:
    while True:
        yield from loader
