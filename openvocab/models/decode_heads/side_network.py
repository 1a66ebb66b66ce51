"""The small vision transformer that SAN trains beside a frozen CLIP.

    image -> patches + queries -> block 1 -> ... -> block 8 -> masks (B, Q, h, w)
                     ^               ^                      -> bias (B, H, Q, h, w)
             CLIP after 0 blocks   after 1/4 of them ...

Shapes: B images, Q queries, W width, h x w side patches, C channels of CLIP, H heads of
CLIP.
"""

from collections.abc import Sequence
from functools import partial
from typing import NamedTuple

import torch
import torch.nn.functional as F
from einops import rearrange
from mmengine.model import caffe2_xavier_init
from mmseg.models.decode_heads.san_head import MLPMaskDecoder
from timm.models.vision_transformer import Block, init_weights_vit_timm
from torch import Tensor, nn

from openvocab.models.backbones.towers.base import SizeCache, to_map

_LayerNorm = partial(nn.LayerNorm, eps=1e-6)


class SideOutput(NamedTuple):
    """What one block of the side network says."""

    masks: Tensor
    """(B, Q, h, w) logits."""
    bias: Tensor
    """(B, H, Q, h, w), for attention logits of CLIP."""


class SideNetwork(nn.Module):
    """Proposes masks and says where CLIP has to look to name them.

    A plain vision transformer without class token and final norm. Positions are added
    again before every block. Maps of CLIP are normed, projected and resized to the side
    patches, and added to them.

    Args:
        clip_channels: C.
        clip_heads: H.
        width: W.
        depth: Blocks.
        num_heads: Attention heads of the blocks.
        patch_size: Side of a patch, in pixels of the image.
        grid: Patches of the position table, h and w at the training size; other sizes
            resize it.
        num_queries: Q.
        fuse_after: After how many blocks the maps of CLIP are added, one entry each;
            0 is before the first block.
        decoder_width: Channels in which masks are the products of queries and patches.

    Source: Xu et al., "Side Adapter Network for Open-Vocabulary Semantic Segmentation",
    CVPR 2023, section 3.2, and public code. The decoder is mmseg's. mmseg's network
    itself fuses only after blocks 0, 1, 2, ... and keeps every attention matrix.
    """

    def __init__(
        self,
        clip_channels: int,
        clip_heads: int,
        width: int = 240,
        depth: int = 8,
        num_heads: int = 6,
        patch_size: int = 16,
        grid: tuple[int, int] = (40, 40),
        num_queries: int = 100,
        fuse_after: Sequence[int] = (0, 1, 2, 3),
        decoder_width: int = 256,
    ) -> None:
        super().__init__()
        if not set(fuse_after) <= set(range(depth + 1)):
            raise ValueError(
                f'fuse_after={tuple(fuse_after)}: the side network has {depth} blocks'
            )
        if list(fuse_after) != sorted(set(fuse_after)):
            raise ValueError(f'fuse_after must rise, got {tuple(fuse_after)}')
        self.patch_size = patch_size
        self.grid = tuple(grid)
        self.fuse_after = tuple(fuse_after)
        self.patch_embed = nn.Conv2d(3, width, patch_size, patch_size)
        self.pos_embed = nn.Parameter(torch.empty(grid[0] * grid[1], width))
        self.query_embed = nn.Parameter(torch.empty(num_queries, width))
        self.query_pos_embed = nn.Parameter(torch.empty(num_queries, width))
        self.blocks = nn.ModuleList(
            Block(width, num_heads, qkv_bias=True, norm_layer=_LayerNorm)
            for _ in range(depth)
        )
        self.fusion = nn.ModuleList(
            nn.Sequential(_LayerNorm(clip_channels), nn.Linear(clip_channels, width))
            for _ in fuse_after
        )
        self.mask_decoder = MLPMaskDecoder(
            in_channels=width,
            total_heads=clip_heads,
            embed_channels=decoder_width,
            mlp_channels=decoder_width,
            rescale_attn_bias=True,
        )
        self._positions = SizeCache()
        self._initialize()

    def forward(
        self,
        images: Tensor,
        levels: Sequence[Tensor],
        clip_grid: tuple[int, int],
        read_after: Sequence[int],
    ) -> list[SideOutput]:
        """Propose masks.

        Args:
            images: (B, 3, H, W), normalised; sides are multiples of ``patch_size``.
            levels: Patch tokens of CLIP (B, L, C), one per entry of ``fuse_after``.
            clip_grid: Rows and columns of those patches.
            read_after: After how many blocks an output is read.

        Returns:
            One output per entry of ``read_after``.
        """
        patches = self.patch_embed(images)
        grid = (patches.shape[-2], patches.shape[-1])
        count = len(self.query_embed)
        positions = self._positions.position_table(self.pos_embed, grid, self.grid)
        positions = torch.cat([self.query_pos_embed, positions])
        queries = self.query_embed.expand(len(patches), -1, -1)
        tokens = torch.cat([queries, rearrange(patches, 'b c h w -> b (h w) c')], 1)
        maps = {
            after: self._fit(fusion(level), clip_grid, grid)
            for after, fusion, level in zip(
                self.fuse_after, self.fusion, levels, strict=True
            )
        }
        outputs = []
        for index in range(len(self.blocks) + 1):
            if index:
                tokens = self.blocks[index - 1](tokens)
            else:
                tokens = tokens + positions
            if index in maps:
                queries, patches = tokens[:, :count], tokens[:, count:]
                tokens = torch.cat([queries, patches + maps[index]], dim=1)
            if index in read_after:
                outputs.append(self._decode(tokens, count, grid))
            if 0 < index < len(self.blocks):
                tokens = tokens + positions
        return outputs

    def _decode(self, tokens: Tensor, count: int, grid: tuple[int, int]) -> SideOutput:
        masks, (bias,) = self.mask_decoder(
            tokens[:, :count], to_map(tokens[:, count:], grid)
        )
        return SideOutput(masks, bias)

    @staticmethod
    def _fit(tokens: Tensor, grid: tuple[int, int], size: tuple[int, int]) -> Tensor:
        """Resize patch tokens (B, L, W) from one grid to another."""
        if grid == size:
            return tokens
        maps = F.interpolate(to_map(tokens, grid), size, mode='bilinear')
        return rearrange(maps, 'b c h w -> b (h w) c')

    def _initialize(self) -> None:
        nn.init.trunc_normal_(self.pos_embed, std=0.02)
        nn.init.normal_(self.query_embed, std=0.02)
        nn.init.normal_(self.query_pos_embed, std=0.02)
        for module in self.blocks.modules():
            init_weights_vit_timm(module)
        for _, linear in self.fusion:
            caffe2_xavier_init(linear)
