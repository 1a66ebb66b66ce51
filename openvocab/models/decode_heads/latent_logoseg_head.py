"""LoGoSeg with a fixed number of queries that stand for no class.

Shape legend: B images, K classes, T queries, P prompts, h x w tokens, D width of the
joint space, C hidden channels.
"""

from collections.abc import Sequence
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from openvocab.registry import MODELS

from .logoseg_head import LoGoSegHead


@MODELS.register_module()
class LatentLoGoSegHead(LoGoSegHead):
    """LoGoSeg as its notation reads: T learned queries, N classes.

    The paper's: T learnable query embeddings read [X_fused | E_text] and are correlated
    with the fused map; the result is "projected to per-class logits" (2.3 and 2.4).

    Ours, where it does not say how T maps become N logits: a query is named by its
    cosine with every class::

        logit_n = sum_t cos(W query_t, text_n) map_t + b

    No parameter knows a class here either. The decoder runs T times, however many
    classes there are; there is no map per class, so that the cosine of position and
    class cannot be added, and ``cost_kernel`` must be None.

    Args:
        in_channels: See :class:`LoGoSegHead`.
        strides: See there.
        num_queries: T.
        dim: C.
        cost_kernel: None.
        **kwargs: The other arguments of :class:`LoGoSegHead`.

    Source: Chen et al., "LoGoSeg", AAAI 2026, sections 2.1 (notation) to 2.4.
    """

    def __init__(
        self,
        in_channels: Sequence[int],
        strides: Sequence[int],
        num_queries: int = 100,
        dim: int = 128,
        cost_kernel: int | None = None,
        **kwargs: Any,
    ) -> None:
        if cost_kernel is not None:
            raise ValueError(
                f'cost_kernel={cost_kernel}: LatentLoGoSegHead has no map per class to '
                'add a cosine to; set cost_kernel=None'
            )
        super().__init__(in_channels, strides, dim, cost_kernel=None, **kwargs)
        self.text_query = _SharedQueries(num_queries, dim)
        self.name_query = nn.Linear(dim, in_channels[-1])
        # The maps begin around zero, and the scores where the base class says.
        self.class_bias = nn.Parameter(self.classify.bias.detach().clone())
        nn.init.zeros_(self.classify.bias)

    def to_logits(self, maps: Tensor, queries: Tensor, text: Tensor) -> Tensor:
        """Name the queries; see :class:`LoGoSegHead`. (B, K, s * h, s * w)."""
        names = F.normalize(self.name_query(queries).float(), dim=-1)
        likeness = names @ F.normalize(text, dim=-1).T
        logits = torch.einsum('btk,bthw->bkhw', likeness.to(maps.dtype), maps)
        return logits + self.class_bias.to(maps.dtype)


class _SharedQueries(nn.Module):
    """The same queries for every image and vocabulary."""

    def __init__(self, count: int, dim: int) -> None:
        super().__init__()
        self.vectors = nn.Parameter(torch.randn(count, dim))

    def forward(self, text: Tensor) -> Tensor:
        """(B, K, D) to (B, T, C)."""
        return self.vectors.expand(len(text), -1, -1)
