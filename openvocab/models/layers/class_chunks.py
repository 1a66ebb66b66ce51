"""Running a layer for some classes at a time."""

from collections.abc import Callable, Iterator, Sequence
from typing import Any

import torch
from torch import Tensor
from torch.utils.checkpoint import checkpoint


class ClassChunks:
    """Bounds how many maps (images times classes) a layer sees at once.

    What is computed for every class by itself may be computed for a few at a time with
    the same result. With gradients that saves memory only if the chunks are computed
    again in the backward pass.

    Args:
        max_maps: The bound; None does all at once.
        recompute: Do so in the backward pass. Without it, chunks are for inference, and
            training does all at once.
    """

    def __init__(self, max_maps: int | None, recompute: bool = False) -> None:
        if max_maps is not None and max_maps < 1:
            raise ValueError(f'max_maps must be at least 1, got {max_maps}')
        self.max_maps = max_maps
        self.recompute = recompute

    def slices(self, x: Tensor) -> Iterator[slice]:
        """Ranges of classes of a tensor (B, K, ..)."""
        batch, classes = x.shape[:2]
        step = classes
        if self.max_maps is not None and (
            self.recompute or not torch.is_grad_enabled()
        ):
            step = max(1, self.max_maps // batch)
        for start in range(0, classes, step):
            yield slice(start, min(start + step, classes))

    def call(self, function: Callable[..., Any], *inputs: Any) -> Any:
        """Call a function, which is called again in the backward pass if need be."""
        if self.recompute and torch.is_grad_enabled():
            return checkpoint(function, *inputs, use_reentrant=False)
        return function(*inputs)

    def run(
        self,
        function: Callable[..., Tensor],
        x: Tensor,
        *shared: Any,
        along: Sequence[Tensor] = (),
    ) -> Tensor:
        """Apply a function chunk by chunk.

        Args:
            function: ``function(x, *along, *shared)`` of some classes, (B, n, ..).
            x: (B, K, ..). Without gradients it may be overwritten.
            *shared: What all chunks share.
            along: (B or 1, K, ..), cut like ``x``.

        Returns:
            (B, K, ..).
        """
        parts: list[Tensor] = []
        # a traced program must not write into what it reads
        keep = torch.is_grad_enabled() or torch.compiler.is_compiling()
        slices = list(self.slices(x))
        out = None
        for part in slices:
            inputs = (x[:, part], *(each[:, part] for each in along), *shared)
            found = self.call(function, *inputs)
            if len(slices) == 1:
                return found
            if keep:
                parts.append(found)
                continue
            if out is None:
                shape = (*x.shape[:2], *found.shape[2:])
                reuse = shape == x.shape and found.dtype == x.dtype
                out = x if reuse else found.new_empty(shape)
            out[:, part] = found
        return out if out is not None else torch.cat(parts, dim=1)
