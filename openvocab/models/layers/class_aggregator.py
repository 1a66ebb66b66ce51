"""Linear attention among the classes at every position, guided by their text.

Shape legend: B images, K classes (n of a chunk), h x w tokens, P pooled tokens, C
channels, H heads of D channels, G channels of guidance.
"""

import torch
import torch.nn.functional as F
from einops import rearrange
from torch import Tensor, nn

from .class_chunks import ClassChunks
from .guided import GuidedLinear
from .linear_attention import kernel, key_sums, read_sums


class ClassAggregator(nn.Module):
    """Attention with the kernel elu + 1, whose cost is linear in the classes.

    The classes enter through two sums over all of them, so that any number can be
    processed a few at a time with the same result. Vocabularies of fewer than
    ``pad_classes`` classes are filled up with one learned token and one learned
    guidance, so that attention has seen a fixed number; the fillers are equal, and are
    added to the sums once, times their number.

    Args:
        dim: C.
        guide_dim: G.
        num_heads: H.
        pad_classes: Number of classes that is filled up to.
        mlp_ratio: Width of the MLP, in multiples of C.

    Source: Cho et al., "CAT-Seg", CVPR 2024, section 3.3, class aggregation;
    Katharopoulos et al., "Transformers are RNNs", ICML 2020.
    """

    def __init__(
        self,
        dim: int,
        guide_dim: int,
        num_heads: int,
        pad_classes: int = 256,
        mlp_ratio: float = 4.0,
    ) -> None:
        super().__init__()
        self.num_heads = num_heads
        self.pad_classes = pad_classes
        self.norm1 = nn.LayerNorm(dim)
        self.q = GuidedLinear(dim, guide_dim, dim)
        self.k = GuidedLinear(dim, guide_dim, dim)
        self.v = nn.Linear(dim, dim)
        self.norm2 = nn.LayerNorm(dim)
        width = int(dim * mlp_ratio)
        self.mlp = nn.Sequential(
            nn.Linear(dim, width), nn.ReLU(), nn.Linear(width, dim)
        )
        self.padding_token = nn.Parameter(torch.zeros(dim))
        self.padding_guidance = nn.Parameter(torch.zeros(guide_dim))

    def forward(
        self, x: Tensor, text: Tensor, pool: int, chunks: ClassChunks
    ) -> Tensor:
        """Aggregate among classes.

        Args:
            x: (B, K, h, w, C). Without gradients it may be overwritten.
            text: (B or 1, K, G).
            pool: Side of the average pooling before attention; 1 for none.
            chunks: How many maps at a time.

        Returns:
            (B, K, h, w, C).
        """
        guide_q, guide_k = self.q.guide(text), self.k.guide(text)
        state = self._padding_state(x)
        for part in chunks.slices(x):
            added = chunks.call(self._sums, x[:, part], guide_k[:, part], pool)
            state = [sum(each) for each in zip(state, added, strict=True)]
        return chunks.run(self._attend, x, *state, pool, along=[guide_q])

    def _sums(self, x: Tensor, guide: Tensor, pool: int) -> tuple[Tensor, Tensor]:
        """Sums over classes: (B, P, H, D, D) and (B, P, H, D)."""
        tokens = self.norm1(_pool(x, pool))
        k = kernel(self._heads(self.k(tokens, guide[:, :, None, None])))
        return key_sums(k, self._heads(self.v(tokens)))

    def _padding_state(self, x: Tensor) -> list[Tensor]:
        """The sums over the fillers, which are the same everywhere."""
        token = self.padding_token[None, None, None, None]
        guide = self.k.guide(self.padding_guidance[None, None])
        count = max(0, self.pad_classes - x.shape[1])
        return [count * each for each in self._sums(token, guide, pool=1)]

    def _attend(
        self, x: Tensor, guide: Tensor, kv: Tensor, norm: Tensor, pool: int
    ) -> Tensor:
        """Let some classes read the sums, (B, n, h, w, C) to the same."""
        tokens = _pool(x, pool)
        q = kernel(self._heads(self.q(self.norm1(tokens), guide[:, :, None, None])))
        out = read_sums(q, kv, norm)
        tokens = tokens + out.reshape(tokens.shape).to(tokens.dtype)
        tokens = tokens + self.mlp(self.norm2(tokens))
        return x + _unpool(tokens, x)

    def _heads(self, maps: Tensor) -> Tensor:
        """Split heads, (B, n, h', w', C) to (B, n, P, H, D)."""
        return rearrange(maps, 'b n h w (a d) -> b n (h w) a d', a=self.num_heads)


def _pool(x: Tensor, pool: int) -> Tensor:
    """Average squares of tokens, (B, n, h, w, C) to (B, n, h', w', C)."""
    if pool == 1:
        return x
    maps = rearrange(x, 'b n h w c -> (b n) c h w')
    maps = F.avg_pool2d(maps, pool, ceil_mode=True, count_include_pad=False)
    return rearrange(maps, '(b n) c h w -> b n h w c', b=len(x))


def _unpool(tokens: Tensor, x: Tensor) -> Tensor:
    """Resize bilinearly, corners aligned, to the grid of ``x``."""
    grid = x.shape[2:4]
    if tokens.shape[2:4] == grid:
        return tokens
    maps = rearrange(tokens, 'b n h w c -> (b n) c h w')
    maps = F.interpolate(maps, grid, mode='bilinear', align_corners=True)
    return rearrange(maps, '(b n) c h w -> b n h w c', b=len(tokens))
