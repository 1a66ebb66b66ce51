"""Queries of the classes that read a map and the text of all classes.

Shape legend: B images, K classes, h x w tokens, C channels, H heads.
"""

import torch
from einops import rearrange
from torch import Tensor, nn

from openvocab.registry import MODELS

from .linear_attention import kernel, key_sums, read_sums


@MODELS.register_module()
class LanguageQueries(nn.Module):
    """Linear attention over map and text, gated fusion, MLP.

    The paper's::

        K = V = [X_fused | E_text]                                           Eq. (10)
        O = Attn(Q, K, V), linear; token-wise gated fusion; residual MLP

    Ours: the kernel elu + 1 with projections of queries, keys and values;
    ``g = sigmoid(W [Q | O])`` per channel, ``Q = LN(Q + g O)``; then
    ``Q + MLP(LN(Q))``. There are no positions, so that the order of classes has no say.

    Args:
        dim: C.
        num_heads: H.
        mlp_ratio: Width of the MLP, in multiples of C.

    Source: LoGoSeg (AAAI 2026), section 2.3, Eq. (10).
    """

    def __init__(self, dim: int, num_heads: int = 4, mlp_ratio: float = 4.0) -> None:
        super().__init__()
        self.num_heads = num_heads
        self.key_norm = nn.LayerNorm(dim)
        self.q = nn.Linear(dim, dim)
        self.k = nn.Linear(dim, dim)
        self.v = nn.Linear(dim, dim)
        self.proj = nn.Linear(dim, dim)
        self.gate = nn.Linear(2 * dim, dim)
        self.norm1 = nn.LayerNorm(dim)
        self.norm2 = nn.LayerNorm(dim)
        width = int(dim * mlp_ratio)
        self.mlp = nn.Sequential(
            nn.Linear(dim, width), nn.GELU(), nn.Linear(width, dim)
        )

    def forward(self, queries: Tensor, fused: Tensor, text: Tensor) -> Tensor:
        """Update the queries.

        Args:
            queries: (B, K, C).
            fused: (B, h, w, C) X_fused.
            text: (B, K, C) E_text.

        Returns:
            (B, K, C).
        """
        tokens = self.key_norm(torch.cat([fused.flatten(1, 2), text], dim=1))
        sums = key_sums(
            kernel(self._heads(self.k(tokens))), self._heads(self.v(tokens))
        )
        read = read_sums(kernel(self._heads(self.q(queries))), *sums)
        read = self.proj(read.flatten(2).to(queries.dtype))
        gate = torch.sigmoid(self.gate(torch.cat([queries, read], dim=-1)))
        queries = self.norm1(queries + gate * read)
        return queries + self.mlp(self.norm2(queries))

    def _heads(self, tokens: Tensor) -> Tensor:
        return rearrange(tokens, 'b n (h d) -> b n h d', h=self.num_heads)
