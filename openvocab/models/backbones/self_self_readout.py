"""Readouts in which tokens attend to tokens that resemble them."""

from collections.abc import Sequence
from typing import Any

import torch.nn.functional as F
from torch import Tensor

from openvocab.registry import MODELS

from .dense_attention import DenseReadout, LastBlock


@MODELS.register_module()
class SelfSelfReadout(DenseReadout):
    """Attention of a projection with itself: ``sum over p of softmax(p p^T s) v``.

    ``('q',)`` is q-q attention, ``('k',)`` k-k, ``('v',)`` v-v, and ``('q', 'k')`` the
    correlative self-attention (CSA) of SCLIP, whose rows sum to two. Class token and
    patches attend to each other as they do in the trained block.

    Args:
        projections: Which of q, k, v are compared with themselves.
        residual: Keep the residual around the attention.
        ffn: Keep the FFN.
        attn_scale: s; None is the model's 1 / sqrt(D).
        rope: Rotate q and k where the model does.

    Source: SCLIP (ECCV 2024), eq. 4; ClearCLIP (ECCV 2024) for leaving out residual and
    FFN; DeCLIP (CVPR 2025), eq. 6, and its public code for leaving out the rotation.
    """

    def __init__(
        self,
        projections: Sequence[str] = ('q', 'k'),
        residual: bool = False,
        ffn: bool = False,
        attn_scale: float | None = None,
        rope: bool = False,
    ) -> None:
        super().__init__(residual, ffn, attn_scale, rope)
        self.projections = tuple(projections)
        unknown = set(self.projections) - set('qkv')
        if unknown or not self.projections:
            raise ValueError(f'projections={self.projections}: choose from q, k and v')
        self.uses = frozenset({*self.projections, 'v'})

    def attend(self, block: LastBlock, tokens: Tensor) -> Tensor:
        """Context of every token before heads are merged, (B, H, N, D)."""
        project = dict(
            q=lambda: block.queries(tokens, self.rope),
            k=lambda: block.keys(tokens, self.rope),
            v=lambda: block.values(tokens),
        )
        values = block.values(tokens)
        compared = [project[letter]() for letter in self.projections]
        return sum(
            F.scaled_dot_product_attention(p, p, values, scale=self.attn_scale)
            for p in compared
        )

    def record(self) -> dict[str, Any]:
        """Describe the readout, JSON-serialisable; equal records mean equal maps."""
        return dict(super().record(), projections=list(self.projections))
