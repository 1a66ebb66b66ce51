"""Multi-head attention whose q, k and v projections can be frozen one by one."""

from collections.abc import Iterable
from typing import Any

import torch
import torch.nn.functional as F
from einops import rearrange
from torch import Tensor, nn

_LETTERS = ('q', 'k', 'v')


class SplitAttention(nn.Module):
    """``nn.MultiheadAttention`` (self-attention, no dropout) with q, k, v apart.

    Torch keeps the three projections in one parameter. Where a readout reads only the
    values, the query and key rows then get no gradient, yet weight decay shrinks them:
    they have to be parameters of their own to be frozen. State dicts still have torch's
    names, ``in_proj_weight`` and ``in_proj_bias``.

    Args:
        attention: The module to replace; its values are copied.
    """

    def __init__(self, attention: nn.MultiheadAttention) -> None:
        super().__init__()
        self.embed_dim = attention.embed_dim
        self.num_heads = attention.num_heads
        self.out_proj = attention.out_proj
        for kind in ('weight', 'bias'):
            whole = getattr(attention, f'in_proj_{kind}')
            parts = (None,) * 3 if whole is None else whole.detach().chunk(3)
            for letter, part in zip(_LETTERS, parts, strict=True):
                part = None if part is None else nn.Parameter(part.clone())
                self.register_parameter(f'{letter}_{kind}', part)
        self._register_state_dict_hook(_join)
        self._register_load_state_dict_pre_hook(_split)

    def rows(self, index: int) -> tuple[Tensor, Tensor | None]:
        """Weight and bias of one projection: 0 q, 1 k, 2 v."""
        letter = _LETTERS[index]
        return getattr(self, f'{letter}_weight'), getattr(self, f'{letter}_bias')

    def forward(
        self,
        query: Tensor,
        key: Tensor,
        value: Tensor,
        need_weights: bool = False,
        attn_mask: Tensor | None = None,
    ) -> tuple[Tensor, None]:
        """Attend, batch first, (B, N, C) to (B, N, C); weights are never returned."""
        q, k, v = (
            rearrange(
                F.linear(x, *self.rows(index)), 'b n (h d) -> b h n d', h=self.num_heads
            )
            for index, x in enumerate((query, key, value))
        )
        if attn_mask is not None:
            attn_mask = attn_mask.to(q.dtype)  # float32 under autocast
        context = F.scaled_dot_product_attention(q, k, v, attn_mask=attn_mask)
        return self.out_proj(rearrange(context, 'b h n d -> b n (h d)')), None


def split(block: nn.Module) -> SplitAttention:
    """Give q, k and v of an open_clip block parameters of their own, in place.

    Args:
        block: Has ``attn``; a block that is split already stays as it is.

    Returns:
        Its attention.
    """
    if not isinstance(block.attn, SplitAttention):
        block.attn = SplitAttention(block.attn)
    return block.attn


def projection_weights(
    blocks: Iterable[nn.Module], letters: Iterable[str]
) -> list[nn.Parameter]:
    """Weights (C, C) of some projections of open_clip blocks, which are split."""
    rows = [_LETTERS.index(letter) for letter in letters]
    return [split(block).rows(row)[0] for block in blocks for row in rows]


def _join(
    module: SplitAttention, state: dict[str, Any], prefix: str, metadata: dict
) -> None:
    for kind in ('weight', 'bias'):
        names = [f'{prefix}{letter}_{kind}' for letter in _LETTERS]
        if all(name in state for name in names):
            parts = [state.pop(name) for name in names]
            state[f'{prefix}in_proj_{kind}'] = torch.cat(parts)


def _split(state: dict[str, Any], prefix: str, *args: Any) -> None:
    for kind in ('weight', 'bias'):
        whole = state.pop(f'{prefix}in_proj_{kind}', None)
        if whole is not None:
            for letter, part in zip(_LETTERS, whole.chunk(3), strict=True):
                state[f'{prefix}{letter}_{kind}'] = part
