"""Attention in horizontal and in vertical stripes of a map.

Shape legend: B images, h x w tokens, C channels, E channels out of a branch.
"""

import torch
import torch.nn.functional as F
from einops import rearrange
from torch import Tensor, nn

from openvocab.registry import MODELS

from .windows import WindowPlan


class StripeAttention(nn.Module):
    """Self-attention in stripes as long as the map, with a residual.

    Args:
        dim: C.
        num_heads: Attention heads.
        stripe: Width of a stripe in tokens; a map is padded to whole stripes, and
            nobody attends to padding.
        horizontal: Whether stripes run along rows.
    """

    def __init__(self, dim: int, num_heads: int, stripe: int, horizontal: bool) -> None:
        super().__init__()
        self.num_heads = num_heads
        self.stripe = stripe
        self.horizontal = horizontal
        self.norm = nn.LayerNorm(dim)
        self.qkv = nn.Linear(dim, 3 * dim)
        self.proj = nn.Linear(dim, dim)

    def forward(self, x: Tensor) -> Tensor:
        """Attend, (B, h, w, C) to the same."""
        height, width = x.shape[1:3]
        window = (self.stripe, width) if self.horizontal else (height, self.stripe)
        plan = WindowPlan((height, width), window, shifted=False)
        q, k, v = rearrange(
            plan.cut(self.qkv(self.norm(x))),
            'b n l (three h d) -> three b n h l d',
            three=3,
            h=self.num_heads,
        )
        mask = plan.mask(x.device)
        if mask is not None:
            mask = mask[None, :, None]
        out = F.scaled_dot_product_attention(q, k, v, attn_mask=mask)
        return x + self.proj(plan.join(rearrange(out, 'b n h l d -> b n l (h d)')))


@MODELS.register_module()
class DirectionalAttention(nn.Module):
    """Local branch: directional structure of the encoder's map and the guidance.

    The paper's, both inputs cut in halves along their channels::

        X_local = [MHSA_h(F_h | G_h), MHSA_v(F_v | G_v)]                     Eq. (8)

    Ours: "rectangular" attention is attention in stripes of ``stripe`` rows (columns)
    by the whole width (height): 1 is axial attention, the side of the map is full
    attention. Norm before, residual after, no positions.

    Args:
        dim: C, channels of either input, even.
        num_heads: Attention heads of a branch.
        stripe: Width of a stripe in tokens.
        branch_dim: E; None keeps a branch's C channels.

    Attributes:
        out_dim: Channels of X_local, 2 E.

    Source: LoGoSeg (AAAI 2026), section 2.3, Eq. (8).
    """

    def __init__(
        self,
        dim: int,
        num_heads: int = 4,
        stripe: int = 4,
        branch_dim: int | None = None,
    ) -> None:
        super().__init__()
        self.branches = nn.ModuleList(
            StripeAttention(dim, num_heads, stripe, horizontal)
            for horizontal in (True, False)
        )
        self.shrink = nn.ModuleList(
            nn.Identity() if branch_dim is None else nn.Linear(dim, branch_dim)
            for _ in self.branches
        )
        self.out_dim = 2 * (branch_dim or dim)

    def forward(self, middle: Tensor, guidance: Tensor) -> Tensor:
        """Eq. (8).

        Args:
            middle: (B, h, w, C) F_mid.
            guidance: (B, h, w, C) G.

        Returns:
            (B, h, w, 2 E).
        """
        return torch.cat(
            [
                shrink(branch(x))
                for branch, shrink, x in zip(
                    self.branches, self.shrink, halves(middle, guidance), strict=True
                )
            ],
            dim=-1,
        )


def halves(middle: Tensor, guidance: Tensor) -> list[Tensor]:
    """F_h | G_h and F_v | G_v, each as wide as one input, (B, h, w, C)."""
    pairs = zip(middle.chunk(2, dim=-1), guidance.chunk(2, dim=-1), strict=True)
    return [torch.cat(pair, dim=-1) for pair in pairs]
