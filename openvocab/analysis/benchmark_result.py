"""What a benchmark measured, and its json."""

import json
import statistics
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import torch

from openvocab.fileio import write_atomically

from .device_peak import peak_flops
from .loader_rate import LoaderRate
from .timing import BACKWARD_REST

_HEAD = ('pooling', 'loss', 'text')


@dataclass(frozen=True)
class PartTime:
    """Median time of a part per step, and its share of the sum of all medians."""

    name: str
    seconds: float
    share: float


@dataclass(frozen=True)
class Result:
    """Measurements of one config.

    Attributes:
        config: Its name.
        mode: ``train`` or ``predict``.
        device: Its name.
        precision: Mixed precision of the step.
        batch_size: Images per step.
        input_shape: (3, H, W) of the first image of a batch, from the loader.
        steps: Timed steps.
        step_seconds: Median step.
        images_per_second: By the median step, waiting for data included.
        images_per_second_data_ready: The same without the wait.
        peak_memory: Bytes.
        peak_memory_kind: What ``peak_memory`` counts.
        parts: Longest first; they do not overlap and cover the step.
        synchronisations: Line of code -> host-device synchronisations in one step;
            None where this cannot be told.
        loader: Speed of the loader.
        flops_per_step: Floating-point operations of a step, see
            :mod:`openvocab.analysis.flops`; None where the device does not tell.
    """

    config: str
    mode: str
    device: str
    precision: str
    batch_size: int
    input_shape: tuple[int, ...]
    steps: int
    step_seconds: float
    images_per_second: float
    images_per_second_data_ready: float
    peak_memory: int
    peak_memory_kind: str
    parts: list[PartTime]
    synchronisations: dict[str, int] | None
    loader: LoaderRate
    flops_per_step: int | None = None

    @property
    def flops_per_second(self) -> float | None:
        """Of the computing alone, without the wait for data."""
        if self.flops_per_step is None:
            return None
        rate = self.images_per_second_data_ready / self.batch_size
        return self.flops_per_step * rate

    @property
    def mfu(self) -> float | None:
        """Model FLOPs utilisation: the share of what the device could do at most.

        None where either is unknown.
        """
        peak = peak_flops(self.device, self.precision)
        done = self.flops_per_second
        return None if peak is None or done is None else done / peak

    def share(self, *names: str) -> float:
        """Share of the step that the named parts take together."""
        return sum(part.share for part in self.parts if part.name in names)

    @property
    def head_share(self) -> float:
        """Share of pooling, loss and text, forward."""
        return self.share(*_HEAD)

    @property
    def head_share_with_backward(self) -> float:
        """The same with the backward pass from the loss to the student's output."""
        return self.share(*_HEAD, BACKWARD_REST)


@dataclass(frozen=True)
class Comparison:
    """Measurements of one or two configs.

    Attributes:
        results: One per config.
        ratios: Images per second of the first over the second, pair by pair; empty
            for one config.
        torch_version: Of the run.
    """

    results: list[Result]
    ratios: list[float] = field(default_factory=list)
    torch_version: str = torch.__version__

    @property
    def median_ratio(self) -> float:
        """Median over the pairs."""
        return statistics.median(self.ratios)

    def write(self, path: str | Path) -> None:
        """Writes everything as json; the file is complete or absent."""
        content = asdict(self)
        for entry, result in zip(content['results'], self.results, strict=True):
            entry['head_share'] = result.head_share
            entry['head_share_with_backward'] = result.head_share_with_backward
            entry['loader']['keeps_up'] = result.loader.keeps_up
            entry['mfu'] = result.mfu
        if self.ratios:
            content['ratio'] = dict(
                median=self.median_ratio, min=min(self.ratios), max=max(self.ratios)
            )
        write_atomically(path, (json.dumps(content, indent=2) + '\n').encode())

    @classmethod
    def read(cls, path: str | Path) -> 'Comparison':
        """Reads what :meth:`write` wrote."""
        content = json.loads(Path(path).read_text())
        return cls(
            results=[_result(entry) for entry in content['results']],
            ratios=content['ratios'],
            torch_version=content['torch_version'],
        )


def _result(entry: Mapping[str, Any]) -> Result:
    derived = ('head_share', 'head_share_with_backward', 'mfu')
    values = {key: value for key, value in entry.items() if key not in derived}
    parts: Sequence[Mapping[str, Any]] = values['parts']
    loader = {k: v for k, v in values['loader'].items() if k != 'keeps_up'}
    values.update(
        input_shape=tuple(values['input_shape']),
        parts=[PartTime(**part) for part in parts],
        loader=LoaderRate(**loader),
    )
    return Result(**values)
