"""What a benchmark times: a training step, or a prediction."""

from abc import ABC, abstractmethod
from collections.abc import Mapping
from contextlib import AbstractContextManager, nullcontext
from typing import Any, ClassVar

import torch
from mmengine.config import Config
from mmengine.optim import OptimWrapper
from mmengine.runner import Runner
from torch import nn


class TimedStep(ABC):
    """A step of the model of a Runner.

    Args:
        runner: Built from ``cfg``.
        cfg: The config.
        model: That of the runner, on its device.
    """

    name: ClassVar[str]
    """What it is called on the command line and in results."""
    dataloader: ClassVar[str]
    """Key of the config: where batches come from."""
    needs: ClassVar[tuple[str, ...]]
    """Keys of the config without which it cannot be timed."""
    reads_labels: ClassVar[bool]
    """Whether the batches carry labels of the vocabulary."""
    optim_wrapper: OptimWrapper | None = None

    @abstractmethod
    def __init__(self, runner: Runner, cfg: Config, model: nn.Module) -> None:
        self.model = model

    @abstractmethod
    def compute(self, batch: dict[str, Any]) -> None:
        """Takes the step."""

    @abstractmethod
    def autocast(self) -> AbstractContextManager:
        """The mixed precision that it computes in."""


class TrainStep(TimedStep):
    """``train_step``: mixed precision and accumulation as ``optim_wrapper`` says."""

    name = 'train'
    dataloader = 'train_dataloader'
    needs = ('train_dataloader', 'optim_wrapper')
    reads_labels = True

    def __init__(self, runner: Runner, cfg: Config, model: nn.Module) -> None:
        super().__init__(runner, cfg, model.train())
        self.optim_wrapper = runner.build_optim_wrapper(cfg.optim_wrapper)

    def compute(self, batch: dict[str, Any]) -> None:
        """Forward, backward, and the optimizer's step."""
        self.model.train_step(batch, optim_wrapper=self.optim_wrapper)

    def autocast(self) -> AbstractContextManager:
        """That of the ``optim_wrapper``."""
        return self.optim_wrapper.optim_context(self.model)


class PredictStep(TimedStep):
    """``test_step``: mixed precision as ``test_cfg.fp16`` says."""

    name = 'predict'
    dataloader = 'test_dataloader'
    needs = ('test_dataloader',)
    reads_labels = False

    def __init__(self, runner: Runner, cfg: Config, model: nn.Module) -> None:
        super().__init__(runner, cfg, model.eval())
        self._fp16 = bool((cfg.get('test_cfg') or {}).get('fp16', False))
        self._device = next(model.parameters()).device

    def compute(self, batch: dict[str, Any]) -> None:
        """Predicts."""
        with torch.no_grad(), self.autocast():
            self.model.test_step(batch)

    def autocast(self) -> AbstractContextManager:
        """``torch.autocast``, or none."""
        return torch.autocast(self._device.type) if self._fp16 else nullcontext()


STEPS: Mapping[str, type[TimedStep]] = {
    step.name: step for step in (TrainStep, PredictStep)
}
