"""Peak memory of a step."""

from collections.abc import Iterator
from contextlib import contextmanager

import torch

from openvocab.device import peak_resident_set


class PeakMemory:
    """Peak memory of one of possibly several models that share a device.

    On CUDA it is what the model holds between steps plus what a step allocates on top;
    another model on the same device does not count. Elsewhere it is the peak resident
    set of the whole process, libraries included.

    Args:
        device: Where the model runs.

    Attributes:
        peak: Bytes.
        kind: What ``peak`` counts, in words.
    """

    def __init__(self, device: torch.device) -> None:
        self.device = device
        self.on_cuda = device.type == 'cuda'
        self.kind = 'CUDA tensors' if self.on_cuda else 'RSS of the process'
        self.peak = 0
        self._held = 0

    @contextmanager
    def held(self) -> Iterator[None]:
        """What is allocated in the block and stays belongs to the model."""
        before = torch.cuda.memory_allocated(self.device) if self.on_cuda else 0
        yield
        if self.on_cuda:
            self._held += torch.cuda.memory_allocated(self.device) - before

    @contextmanager
    def step(self) -> Iterator[None]:
        """Takes the peak of the block into account."""
        if self.on_cuda:
            before = torch.cuda.memory_allocated(self.device)
            torch.cuda.reset_peak_memory_stats(self.device)
        yield
        if self.on_cuda:
            added = torch.cuda.max_memory_allocated(self.device) - before
            self.peak = max(self.peak, self._held + added)
        else:
            self.peak = peak_resident_set()
