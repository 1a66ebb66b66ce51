"""Time of a step by part, on the host or on a CUDA device.

A step is a sequence of intervals; each belongs to exactly one part, the innermost one
that is open. The parts of a step therefore always sum to the step.
"""

import time
from collections import defaultdict
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Protocol

import torch

OTHER = 'other'
BACKWARD = 'backward'
BACKWARD_REST = 'backward (rest)'
BACKWARD_STUDENT = 'backward (student)'


class Clock(Protocol):
    """Takes stamps now, and reads the time between two of them later."""

    def stamp(self) -> object:
        """Marks this point of the program."""

    def wait(self) -> None:
        """Returns when everything stamped so far has happened."""

    def seconds(self, start: object, end: object) -> float:
        """Time between two stamps; only after :meth:`wait`."""


class HostClock:
    """Wall-clock time."""

    def stamp(self) -> float:
        """Marks this point of the program."""
        return time.perf_counter()

    def wait(self) -> None:
        """Nothing to wait for: work on the host is done when it returns."""

    def seconds(self, start: float, end: float) -> float:
        """Time between two stamps."""
        return end - start


class CudaClock:
    """Time on the current stream, by events: a stamp does not stop the host.

    While the device is idle its time goes on, so waiting for data counts as well.
    """

    def stamp(self) -> torch.cuda.Event:
        """Marks this point of the current stream."""
        event = torch.cuda.Event(enable_timing=True)
        event.record()
        return event

    def wait(self) -> None:
        """Returns when the device has done its work."""
        torch.cuda.synchronize()

    def seconds(self, start: torch.cuda.Event, end: torch.cuda.Event) -> float:
        """Time between two stamps."""
        return start.elapsed_time(end) / 1000


def clock_for(device: torch.device) -> Clock:
    """The clock of a device."""
    return CudaClock() if device.type == 'cuda' else HostClock()


class StepTimer:
    """Attributes the time of a step to its parts.

    Usage::

        with timer.step():
            with timer.part('student'):
                ...
        timer.seconds  # {'student': ..., 'other': ...}

    Outside :meth:`step` a part costs nothing and is not recorded.

    Args:
        clock: Where stamps come from.

    Attributes:
        seconds: Part -> seconds of the last step; empty before the first one.
    """

    def __init__(self, clock: Clock) -> None:
        self.clock = clock
        self.seconds: dict[str, float] = {}
        self._open: list[str] = []  # innermost last; empty outside a step
        self._stamps: list[object] = []
        self._parts: list[str] = []  # the interval after each stamp belongs to this
        self._backward_start = 0

    @contextmanager
    def step(self) -> Iterator[None]:
        """Times one step and waits for its end."""
        self._stamps, self._parts, self._open = [], [], [OTHER]
        self._switch(OTHER)
        try:
            yield
            self._switch(OTHER)
        finally:
            self._open = []
        self.clock.wait()
        self.seconds = self._sum()

    @contextmanager
    def part(self, name: str) -> Iterator[None]:
        """Attributes the block to ``name``, except for parts opened inside it."""
        if not self._open:
            yield
            return
        self._open.append(name)
        self._switch(name)
        if name == BACKWARD:
            self._backward_start = len(self._parts) - 1
        try:
            yield
        finally:
            self._open.pop()
            if self._open:
                self._switch(self._open[-1])

    def mark_student_gradient(self) -> None:
        """Says that the gradient of an output of the student was just computed.

        The backward pass up to the last such mark belongs to what comes after the
        student (pooling, loss), what follows to the student itself.
        """
        if not self._open or self._open[-1] not in (BACKWARD, BACKWARD_STUDENT):
            return
        for i in range(self._backward_start, len(self._parts)):
            if self._parts[i] in (BACKWARD, BACKWARD_STUDENT):
                self._parts[i] = BACKWARD_REST
        self._open[-1] = BACKWARD_STUDENT
        self._switch(BACKWARD_STUDENT)

    def _switch(self, name: str) -> None:
        self._stamps.append(self.clock.stamp())
        self._parts.append(name)

    def _sum(self) -> dict[str, float]:
        total: dict[str, float] = defaultdict(float)
        for i, name in enumerate(self._parts[:-1]):
            total[name] += self.clock.seconds(self._stamps[i], self._stamps[i + 1])
        return dict(total)
