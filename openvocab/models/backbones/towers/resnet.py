"""CLIP's ModifiedResNet (RN50, RN50x4, ...): three-layer stem, attention pooling."""

from collections.abc import Sequence

import torch
import torch.nn.functional as F
from einops import rearrange
from open_clip.modified_resnet import ModifiedResNet
from torch import Tensor, nn

from ..dense_attention import DenseReadout
from .base import SizeCache, to_map
from .convolutional import ConvolutionalTower


class ResNetTower(ConvolutionalTower):
    """Adapter of open_clip's ``ModifiedResNet``; see :class:`Tower`.

    The dense embedding of a position is what attention pooling would give if the
    position attended to itself alone: position embedding, v and c projections.

    Source: Zhou et al., "MaskCLIP", ECCV 2022, section 3.2.
    """

    family = 'resnet'
    patch_size = 32

    def __init__(self, visual: ModifiedResNet, readout: DenseReadout) -> None:
        super().__init__(visual, readout)
        self.embed_dim = visual.output_dim
        self._positions = SizeCache()

    @property
    def levels(self) -> list[tuple[int, int]]:
        """Stride and channels of every stage."""
        widths = [stage[-1].conv3.out_channels for stage in self.groups]
        return list(zip((4, 8, 16, 32), widths, strict=True))

    @property
    def groups(self) -> list[nn.Module]:
        """The four stages."""
        visual = self.visual
        return [visual.layer1, visual.layer2, visual.layer3, visual.layer4]

    def unused_parameters(self) -> list[nn.Parameter]:
        """Queries and keys of the attention pooling."""
        pool = self.visual.attnpool
        return [*pool.q_proj.parameters(), *pool.k_proj.parameters()]

    def forward(
        self, images: Tensor, out_indices: Sequence[int]
    ) -> tuple[list[Tensor], Tensor]:
        """Compute tapped maps and the dense embedding."""
        stages = self._stages(images)
        maps = [stages[index] for index in out_indices]
        pool = self.visual.attnpool
        tokens, grid = self._tokens(stages[-1])
        return maps, to_map(pool.c_proj(pool.v_proj(tokens[:, 1:])), grid)

    def encode_image(self, images: Tensor) -> Tensor:
        """Pooled embedding as CLIP was trained."""
        pool = self.visual.attnpool
        tokens, _ = self._tokens(self._stages(images)[-1])
        q, k, v = (
            rearrange(project(x), 'b n (h d) -> b h n d', h=pool.num_heads)
            for project, x in (
                (pool.q_proj, tokens[:, :1]),
                (pool.k_proj, tokens),
                (pool.v_proj, tokens),
            )
        )
        pooled = F.scaled_dot_product_attention(q, k, v)
        return pool.c_proj(rearrange(pooled, 'b h 1 d -> b (h d)'))

    def _stages(self, images: Tensor) -> list[Tensor]:
        x, maps = self.visual.stem(images), []
        for stage in self.groups:
            for block in stage:
                x = self._run(block, x)
            maps.append(x)
        return maps

    def _tokens(self, features: Tensor) -> tuple[Tensor, tuple[int, int]]:
        """Mean token and position tokens with their embedding, (B, 1 + h * w, C)."""
        grid = (features.shape[-2], features.shape[-1])
        tokens = rearrange(features, 'b c h w -> b (h w) c')
        tokens = torch.cat([tokens.mean(dim=1, keepdim=True), tokens], dim=1)
        table = self.visual.attnpool.positional_embedding
        side = round((table.shape[0] - 1) ** 0.5)
        table = self._positions.position_table(table, grid, (side, side))
        return tokens + table.to(tokens.dtype), grid
