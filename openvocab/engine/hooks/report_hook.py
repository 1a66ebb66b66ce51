"""The report of a test run: metrics, what they were made with, speed and memory."""

import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import torch
from mmengine.dist import all_reduce, is_main_process
from mmengine.hooks import Hook
from mmengine.runner import Runner
from torch import nn

from openvocab.checkpoints.reading import checkpoint_sha256
from openvocab.device import (
    default_device,
    device_name,
    peak_memory,
    reset_peak_memory,
    synchronize,
)
from openvocab.engine.benchmarks import own_benchmark
from openvocab.engine.unwrapping import unwrapped
from openvocab.registry import HOOKS
from openvocab.reports import Report, library_versions, published_metrics


@HOOKS.register_module()
class ReportHook(Hook):
    """Writes ``report.json`` and ``report.md`` after testing and prints the table.

    Args:
        method: Name of the row; by default the name of the config file.
        out_dir: Folder of the two files; by default the work directory.
        warmup: Test iterations left out of the speed (fewer if there are not as many).
        published_dataset: Which result of the config's ``metafile.yml`` stands beside
            the measured one; by default the first.
        benchmark: Name of the benchmark; by default that of the config
            (:func:`openvocab.engine.benchmarks.own_benchmark`).
    """

    priority = 'LOWEST'

    def __init__(
        self,
        method: str | None = None,
        out_dir: str | None = None,
        warmup: int = 5,
        published_dataset: str | None = None,
        benchmark: str | None = None,
    ) -> None:
        self.method = method
        self.out_dir = out_dir
        self.warmup = warmup
        self.published_dataset = published_dataset
        self.benchmark = benchmark
        self._device = default_device()
        self._skip = 0
        self._images = 0
        self._start = self._seconds = 0.0

    def before_test_epoch(self, runner: Runner) -> None:
        """Resets the meters."""
        self._skip = min(self.warmup, len(runner.test_dataloader) - 1)
        self._images = 0
        reset_peak_memory(self._device)

    def before_test_iter(
        self, runner: Runner, batch_idx: int, data_batch: Any = None
    ) -> None:
        """Starts the clock where there is no warm-up."""
        if self._skip == batch_idx == 0:
            self._start = self._now()

    def after_test_iter(
        self,
        runner: Runner,
        batch_idx: int,
        data_batch: Any = None,
        outputs: Sequence | None = None,
    ) -> None:
        """Counts images; starts the clock when the warm-up is over."""
        if batch_idx + 1 == self._skip:
            self._start = self._now()
        elif batch_idx >= self._skip:
            self._images += _batch_size(data_batch)
            if batch_idx + 1 == len(runner.test_dataloader):
                self._seconds = self._now() - self._start

    def after_test_epoch(
        self, runner: Runner, metrics: dict[str, float] | None = None
    ) -> None:
        """Writes the report on the main process."""
        # Every process takes part in the two sums.
        speed = _reduce(self._images / max(self._seconds, 1e-9), 'sum')
        memory = _reduce(float(peak_memory(self._device)), 'max')
        if not is_main_process():
            return
        config = runner.cfg.filename
        report = Report(meta=self._meta(runner, speed, int(memory)))
        found = (
            getattr(metric, 'confusions', None)
            for metric in runner.test_loop.evaluator.metrics
        )
        report.add_row(
            self.method or (Path(config).stem if config else runner.experiment_name),
            metrics or {},
            published=published_metrics(config, self.published_dataset)
            if config
            else None,
            confusions=next((entries for entries in found if entries), None),
        )
        folder = Path(self.out_dir or runner.work_dir)
        report.write(folder)
        report.render()
        runner.logger.info(f'Report written to {folder}/report.json and report.md')

    def _now(self) -> float:
        synchronize(self._device)
        return time.perf_counter()

    def _meta(self, runner: Runner, speed: float, memory: int) -> dict[str, Any]:
        meta = describe_model(runner.model)
        checkpoint = runner.cfg.get('load_from')
        if checkpoint:
            name = Path(checkpoint).name
            meta['weights'] = {**meta['weights'], name: checkpoint_sha256(checkpoint)}
        benchmark = self.benchmark
        if benchmark is None and runner.cfg.filename:
            benchmark = own_benchmark(runner.cfg)
        return {
            'config': runner.cfg.filename,
            'benchmark': benchmark,
            **meta,
            'images_per_second': speed,
            'peak_memory': memory,
            'device': device_name(self._device),
            'libraries': library_versions(),
        }


def describe_model(model: nn.Module) -> dict[str, Any]:
    """What a result depends on besides the config.

    Args:
        model: A model, possibly wrapped for distributed use.

    Returns:
        ``weights`` (encoder name -> fingerprint) and, where the model has them,
        ``readout``, ``vocabulary`` and ``prompts`` (name and hash).
    """
    model = unwrapped(model)
    meta: dict[str, Any] = {'weights': {}}
    backbone = getattr(model, 'backbone', None)
    if hasattr(backbone, 'record'):
        record = backbone.record()
        meta['weights'][f'image encoder {record["arch"]}'] = record['checkpoint']
        meta['readout'] = record['readout']
    bank = getattr(model, 'text_bank', None)
    if bank is not None:
        record = bank.record()
        meta['weights']['text encoder'] = record['encoder']
        meta.update({key: record[key] for key in ('vocabulary', 'prompts')})
    return meta


def _batch_size(data_batch: Any) -> int:
    return len(data_batch['inputs'] if isinstance(data_batch, dict) else data_batch)


def _reduce(value: float, how: str) -> float:
    tensor = torch.tensor([value], dtype=torch.float64)
    all_reduce(tensor, how)
    return tensor.item()
