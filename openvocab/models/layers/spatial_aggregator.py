"""Window attention within the map of every class, guided by the image.

Shape legend: B images, n classes, h x w tokens, C channels, G channels of guidance.
"""

import torch.nn.functional as F
from einops import rearrange
from torch import Tensor, nn

from .guided import GuidedLinear
from .windows import WindowPlan


class GuidedWindowBlock(nn.Module):
    """A Swin block whose queries and keys also see what the image looks like there.

    There is no position bias. Classes do not see each other.

    Args:
        dim: C.
        guide_dim: G.
        num_heads: Attention heads.
        window: Side of a window in tokens.
        shifted: Whether windows are shifted by half a window.
        mlp_ratio: Width of the MLP, in multiples of C.

    Source: Cho et al., "CAT-Seg", CVPR 2024, section 3.3, spatial aggregation.
    """

    def __init__(
        self,
        dim: int,
        guide_dim: int,
        num_heads: int,
        window: int,
        shifted: bool,
        mlp_ratio: float = 4.0,
    ) -> None:
        super().__init__()
        self.num_heads = num_heads
        self.window = window
        self.shifted = shifted
        self.norm1 = nn.LayerNorm(dim)
        self.q = GuidedLinear(dim, guide_dim, dim)
        self.k = GuidedLinear(dim, guide_dim, dim)
        self.v = nn.Linear(dim, dim)
        self.proj = nn.Linear(dim, dim)
        self.norm2 = nn.LayerNorm(dim)
        width = int(dim * mlp_ratio)
        self.mlp = nn.Sequential(
            nn.Linear(dim, width), nn.GELU(), nn.Linear(width, dim)
        )

    def guide(self, guidance: Tensor) -> tuple[Tensor, Tensor]:
        """What the image adds to queries and keys of all classes.

        Args:
            guidance: (B, h, w, G).

        Returns:
            Two tensors (B, 1, h, w, C).
        """
        return self.q.guide(guidance)[:, None], self.k.guide(guidance)[:, None]

    def forward(self, x: Tensor, guide: tuple[Tensor, Tensor]) -> Tensor:
        """Run the block.

        Args:
            x: (B, n, h, w, C).
            guide: What :meth:`guide` returned.

        Returns:
            (B, n, h, w, C).
        """
        y = self.norm1(x)
        x = x + self._attend(self.q(y, guide[0]), self.k(y, guide[1]), self.v(y))
        return x + self.mlp(self.norm2(x))

    def _attend(self, *maps: Tensor) -> Tensor:
        batch, classes, *grid = maps[0].shape[:-1]
        plan = WindowPlan(tuple(grid), self.window, self.shifted)
        # Windows stand beside heads, so that one mask serves all maps.
        q, k, v = (
            rearrange(
                plan.cut(each.flatten(0, 1)),
                'm w l (h d) -> m (w h) l d',
                h=self.num_heads,
            )
            for each in maps
        )
        mask = plan.mask(q.device)
        if mask is not None:
            mask = mask.repeat_interleave(self.num_heads, dim=0)[None]
        out = F.scaled_dot_product_attention(q, k, v, attn_mask=mask)
        out = rearrange(out, 'm (w h) l d -> m w l (h d)', h=self.num_heads)
        return self.proj(plan.join(out)).unflatten(0, (batch, classes))


class SpatialAggregator(nn.Module):
    """Two blocks, the second one with shifted windows.

    Args:
        dim: C.
        guide_dim: G.
        num_heads: Attention heads.
        window: Side of a window in tokens; maps of any size are cut.
    """

    def __init__(self, dim: int, guide_dim: int, num_heads: int, window: int) -> None:
        super().__init__()
        self.guidance_norm = nn.LayerNorm(guide_dim)
        self.blocks = nn.ModuleList(
            GuidedWindowBlock(dim, guide_dim, num_heads, window, shifted)
            for shifted in (False, True)
        )

    def guide(self, guidance: Tensor) -> list[tuple[Tensor, Tensor]]:
        """What the image adds, once for all classes; (B, h, w, G) channels last."""
        guidance = self.guidance_norm(guidance)
        return [block.guide(guidance) for block in self.blocks]

    def forward(self, x: Tensor, guide: list[tuple[Tensor, Tensor]]) -> Tensor:
        """Aggregate within each class, (B, n, h, w, C) to the same."""
        for block, each in zip(self.blocks, guide, strict=True):
            x = block(x, each)
        return x
