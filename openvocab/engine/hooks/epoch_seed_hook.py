"""Random numbers that depend on the seed and the epoch only, so resuming is exact."""

import random
from typing import Any

import numpy as np
import torch
from mmengine.dist import get_rank
from mmengine.hooks import Hook
from mmengine.runner import IterBasedTrainLoop, Runner

from openvocab.registry import HOOKS


def seed_worker(worker_id: int) -> None:
    """Seeds a data worker from the number that torch drew for this epoch and worker."""
    seed = torch.initial_seed() % 2**32
    random.seed(seed)
    np.random.seed(seed)


@HOOKS.register_module()
class EpochSeedHook(Hook):
    """Reseeds Python, numpy and torch when a training epoch begins.

    Where training counts iterations, every iteration is one.

    The seed is a function of the runner's seed, the epoch and the rank. A run that is
    interrupted and resumed at an epoch's end therefore continues with the random
    numbers of the uninterrupted run, whatever evaluation drew in between. Data workers
    are seeded per epoch too (mmengine's own seeding repeats the same augmentations
    every epoch); with ``persistent_workers=True`` they are started once, keep their
    stream, and a resumed run draws other augmentations. Endless loaders of
    iteration-based training are seeded by :class:`SeededInfiniteSampler` instead.
    """

    priority = 'VERY_HIGH'

    def before_train(self, runner: Runner) -> None:
        """Gives the data workers their per-epoch seed."""
        if not _counts_iterations(runner):
            runner.train_dataloader.worker_init_fn = seed_worker

    def before_train_epoch(self, runner: Runner) -> None:
        """Seeds the three generators for the coming epoch."""
        if not _counts_iterations(runner):
            _seed(runner.seed, runner.epoch)

    def before_train_iter(
        self, runner: Runner, batch_idx: int, data_batch: Any = None
    ) -> None:
        """Seeds them for the coming iteration."""
        if _counts_iterations(runner):
            _seed(runner.seed, runner.iter)


def _counts_iterations(runner: Runner) -> bool:
    return isinstance(runner.train_loop, IterBasedTrainLoop)


def _seed(seed: int, number: int) -> None:
    words = np.random.SeedSequence([seed, number, get_rank()])
    seed = int(words.generate_state(1)[0])
    random.seed(seed)
    np.random.seed(seed)
    torch.manual_seed(seed)
