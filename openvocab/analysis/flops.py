"""Floating-point operations of a prediction, part by part.

Counted by ``torch.utils.flop_counter`` on the operators that run (matrix products,
convolutions, attention, their backward passes): a multiplication and an addition are
two. Elementwise operations, RoIAlign and NMS do not count.
"""

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from typing import Any

import torch
from torch import nn
from torch.nn.attention import SDPBackend, sdpa_kernel
from torch.utils.flop_counter import FlopCounterMode

from .step_parts import attach

OTHER = 'other'


class FlopMeter:
    """Counts while it is entered; what an inner part does is not the outer one's.

    Stands where :func:`openvocab.analysis.step_parts.attach` expects a timer.

    Args:
        fused_attention: Leave attention to the device's kernels, whose operations
            only those of CUDA tell; else it is done by matrix products, which hold
            all pairs of tokens in memory.

    Attributes:
        flops: Part -> operations.
    """

    def __init__(self, fused_attention: bool = False) -> None:
        self.fused_attention = fused_attention
        self.flops: Counter[str] = Counter()
        self._counter = FlopCounterMode(display=False)
        self._context = ExitStack()
        self._stack = [OTHER]
        self._settled = 0

    def __enter__(self) -> 'FlopMeter':
        if not self.fused_attention:
            self._context.enter_context(sdpa_kernel(SDPBackend.MATH))
        self._context.enter_context(self._counter)
        return self

    def __exit__(self, *error: object) -> None:
        self._settle()
        self._context.close()

    @contextmanager
    def part(self, name: str) -> Iterator[None]:
        """Counts what the block does for a part."""
        self._settle()
        self._stack.append(name)
        try:
            yield
        finally:
            self._settle()
            self._stack.pop()

    def mark_student_gradient(self) -> None:
        """Nothing to do: a backward pass is counted where it runs."""

    def _settle(self) -> None:
        total = self._counter.get_total_flops()
        self.flops[self._stack[-1]] += total - self._settled
        self._settled = total


def count_flops(model: nn.Module, run: Callable[[], Any]) -> dict[str, int]:
    """Counts what a call of a model does.

    Args:
        model: The model; its parts are those that the benchmark times.
        run: Calls it.

    Returns:
        Part -> operations, most first, parts without any left out.
    """
    with FlopMeter() as meter, attach(meter, model):
        run()
    return {name: count for name, count in meter.flops.most_common() if count}


def text_flops(encoder: nn.Module, sentences: Sequence[str]) -> int:
    """Counts what encoding sentences costs.

    Args:
        encoder: An ``openvocab.TextEncoder``.
        sentences: Any.
    """
    with FlopMeter() as meter, torch.no_grad():
        encoder.encode(list(sentences))
    return meter.flops.total()
