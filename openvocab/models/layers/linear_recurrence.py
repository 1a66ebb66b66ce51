"""A first-order linear recurrence over a dimension, without a loop over it.

Shape legend: L steps, .. dimensions that do not meet.
"""

from typing import Any

import torch
from torch import Tensor
from torch.autograd.function import once_differentiable


def linear_recurrence(decay: Tensor, drive: Tensor) -> Tensor:
    """Solve ``h_t = decay_t * h_{t-1} + drive_t`` with ``h_0 = drive_0``.

    Pairs of steps are merged into one, the recurrence of half the length is solved in
    the same way, and the steps in between are filled in: about 2 log2(L) tensor
    operations on 2 L steps in all. Nothing is ever divided, so that decays in (0, 1]
    never overflow, however long the sequence. The backward pass is the same recurrence
    from the end.

    Args:
        decay: (L, ..) float32; that of the first step has no say.
        drive: (L, ..) float32, of the same shape.

    Returns:
        (L, ..) h.

    Source: Blelloch, "Prefix sums and their applications", 1990.
    """
    return _Recurrence.apply(decay, drive)


class _Recurrence(torch.autograd.Function):
    """Keeps the decays and the states, nothing of the levels in between."""

    @staticmethod
    def forward(ctx: Any, decay: Tensor, drive: Tensor) -> Tensor:
        states = _solve(decay, drive)
        ctx.save_for_backward(decay, states)
        return states

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, grad: Tensor) -> tuple[Tensor, Tensor]:
        decay, states = ctx.saved_tensors
        # What reaches h_t: its own gradient and, decayed, what reaches h_{t+1}.
        later = torch.cat([decay[:1], decay[1:].flip(0)])
        total = _solve(later, grad.flip(0)).flip(0)
        grad_decay = torch.zeros_like(total)
        torch.mul(total[1:], states[:-1], out=grad_decay[1:])
        return grad_decay, total


def _solve(decay: Tensor, drive: Tensor) -> Tensor:
    length = len(drive)
    if length == 1:
        return drive.clone()
    pairs = length // 2 * 2
    odd = decay[1::2]
    states = torch.empty_like(drive)
    states[1::2] = _solve(
        odd * decay[0:pairs:2], torch.addcmul(drive[1::2], odd, drive[0:pairs:2])
    )
    states[0] = drive[0]
    between = states[1 : length - 1 : 2]
    states[2::2] = torch.addcmul(drive[2::2], decay[2::2], between)
    return states
