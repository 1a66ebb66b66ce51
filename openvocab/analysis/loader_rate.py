"""Whether the data loader keeps up with the model."""

import math
import time
from dataclasses import dataclass

import torch
from torch.utils.data import DataLoader


@dataclass(frozen=True)
class LoaderRate:
    """Speed of a data loader.

    Attributes:
        images_per_second_per_worker: Of one worker that has a core for itself.
        num_workers: Workers of the config; 0 means that the step itself loads.
        workers_needed: Workers that would feed the model without a wait.
    """

    images_per_second_per_worker: float
    num_workers: int
    workers_needed: int

    @property
    def keeps_up(self) -> bool:
        """Whether the configured workers are enough, given as many cores."""
        return self.num_workers >= self.workers_needed


def measure_loader(
    loader: DataLoader, model_rate: float, seconds: float = 1.0
) -> LoaderRate:
    """Loads batches in this process, as one worker would.

    Args:
        loader: The loader of the config; its workers are not used.
        model_rate: Images per second of the model when data are at hand.
        seconds: Roughly how long to load for, after a first batch.
    """
    single = DataLoader(
        loader.dataset,
        batch_sampler=loader.batch_sampler,
        collate_fn=loader.collate_fn,
    )
    threads = torch.get_num_threads()
    torch.set_num_threads(1)  # as in a worker
    try:
        rate = _images_per_second(single, seconds)
    finally:
        torch.set_num_threads(threads)
    return LoaderRate(
        images_per_second_per_worker=rate,
        num_workers=loader.num_workers,
        workers_needed=math.ceil(model_rate / rate),
    )


def _images_per_second(loader: DataLoader, seconds: float) -> float:
    batches = iter(loader)
    next(batches)  # opens the dataset
    images, start = 0, time.perf_counter()
    while images == 0 or time.perf_counter() - start < seconds:
        batch = next(batches, None)
        if batch is None:
            batches = iter(loader)
            batch = next(batches)
        images += len(batch['inputs'])
    return images / (time.perf_counter() - start)
