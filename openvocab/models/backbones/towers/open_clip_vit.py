"""OpenAI and OpenCLIP vision transformers."""

from collections.abc import Iterable

import torch
import torch.nn.functional as F
from einops import rearrange
from open_clip.transformer import ResidualAttentionBlock, VisionTransformer
from torch import Tensor, nn

from ..dense_attention import DenseReadout
from .split_attention import SplitAttention, projection_weights, split
from .transformer import TransformerTower


class OpenCLIPBlock:
    """The :class:`LastBlock` view of open_clip's ``ResidualAttentionBlock``."""

    num_prefix_tokens = 1

    def __init__(self, block: ResidualAttentionBlock, grid: tuple[int, int]) -> None:
        self.block = block
        self.grid = grid

    def forward(self, tokens: Tensor) -> Tensor:
        """Run the block as it was trained."""
        return self.block(tokens)

    def normed(self, tokens: Tensor) -> Tensor:
        """Tokens as the attention sees them."""
        return self.block.ln_1(tokens)

    def queries(self, tokens: Tensor, rope: bool = True) -> Tensor:
        """Queries (B, H, N, D); this family has no rotary embedding."""
        return self._project(tokens, 0)

    def keys(self, tokens: Tensor, rope: bool = True) -> Tensor:
        """Keys (B, H, N, D); this family has no rotary embedding."""
        return self._project(tokens, 1)

    def values(self, tokens: Tensor) -> Tensor:
        """Values (B, H, N, D)."""
        return self._project(tokens, 2)

    def merge(self, context: Tensor) -> Tensor:
        """Join heads and project."""
        return self.block.attn.out_proj(rearrange(context, 'b h n d -> b n (h d)'))

    def add_residual(self, tokens: Tensor, out: Tensor) -> Tensor:
        """Add the attention branch, layer scale applied, to the tokens."""
        return tokens + self.block.ls_1(out)

    def feed_forward(self, tokens: Tensor) -> Tensor:
        """Apply the FFN with its norm, layer scale and residual."""
        block = self.block
        return tokens + block.ls_2(block.mlp(block.ln_2(tokens)))

    def _project(self, tokens: Tensor, index: int) -> Tensor:
        """One projection (0 q, 1 k, 2 v) of the normed tokens."""
        attn = self.block.attn
        if isinstance(attn, SplitAttention):
            weight, bias = attn.rows(index)
        else:
            weight = attn.in_proj_weight.chunk(3)[index]
            bias = attn.in_proj_bias
            bias = None if bias is None else bias.chunk(3)[index]
        out = F.linear(self.normed(tokens), weight, bias)
        return rearrange(out, 'b n (h d) -> b h n d', h=attn.num_heads)


class OpenCLIPViT(TransformerTower):
    """Adapter of open_clip's ``VisionTransformer``; see :class:`Tower`."""

    family = 'vit'
    normalize_before_pooling = False
    num_prefix_tokens = OpenCLIPBlock.num_prefix_tokens

    def __init__(self, visual: VisionTransformer, readout: DenseReadout) -> None:
        super().__init__(visual, readout)
        if visual.attn_pool is not None:
            raise ValueError(
                'towers with attentional pooling are not supported: their patch tokens '
                'are not in the joint space'
            )
        blocks = visual.transformer.resblocks
        if not all(isinstance(block, ResidualAttentionBlock) for block in blocks):
            raise ValueError(
                f"{type(blocks[-1]).__name__} is not supported, only open_clip's "
                'default attention block'
            )
        if visual.patch_size[0] != visual.patch_size[1]:
            raise ValueError(f'patches must be square, not {visual.patch_size}')
        self.patch_size = visual.patch_size[0]
        self.embed_dim = visual.output_dim
        self.num_heads = blocks[0].attn.num_heads
        self.pools_class_token = visual.pool_type == 'tok'

    @property
    def levels(self) -> list[tuple[int, int]]:
        """Stride and channels of every block."""
        width = self.visual.transformer.width
        return [(self.patch_size, width)] * len(self.groups)

    @property
    def groups(self) -> list[nn.Module]:
        """The transformer blocks."""
        return list(self.visual.transformer.resblocks)

    def separate_unused(self) -> None:
        """Give q, k and v of the last block parameters of their own."""
        if self.readout.uses != frozenset('qkv'):
            split(self.groups[-1])

    def attention_weights(self, letters: Iterable[str]) -> list[nn.Parameter]:
        """Weights of the q, k or v projections of all blocks, made separate."""
        return projection_weights(self.groups, letters)

    def unused_parameters(self) -> list[nn.Parameter]:
        """Projections of the last block that the readout never reads, and its FFN."""
        last, unused = self.groups[-1], []
        if isinstance(last.attn, SplitAttention):
            for index, letter in enumerate('qkv'):
                if letter not in self.readout.uses:
                    unused += last.attn.rows(index)
        modules = [] if self.readout.ffn else [last.ln_2, last.mlp, last.ls_2]
        modules += [] if self.readout.residual else [last.ls_1]
        unused += [parameter for m in modules for parameter in m.parameters()]
        return [parameter for parameter in unused if parameter is not None]

    @property
    def positions(self) -> Tensor:
        """Table of absolute positions, (1 + h * w, C)."""
        return self.visual.positional_embedding

    def embed(
        self, images: Tensor, offset: Tensor | None = None
    ) -> tuple[Tensor, tuple[int, int]]:
        """Compute the tokens that enter the first block."""
        visual = self.visual
        patches = visual.conv1(images)
        grid = (patches.shape[-2], patches.shape[-1])
        patches = rearrange(patches, 'b c h w -> b (h w) c')
        cls = visual.class_embedding.to(patches.dtype).expand(len(patches), 1, -1)
        table = self.position_table(grid, visual.grid_size, offset)
        tokens = torch.cat([cls, patches], dim=1) + table.to(patches.dtype)
        return visual.ln_pre(tokens), grid

    def views(self, grid: tuple[int, int]) -> list[OpenCLIPBlock]:
        """Show the parts of all blocks."""
        return [OpenCLIPBlock(block, grid) for block in self.groups]

    def project(self, tokens: Tensor) -> Tensor:
        """Norm and project tokens of the last block, (B, M, C) to (B, M, D)."""
        return self._to_joint_space(self.visual.ln_post(tokens))

    def pool(self, tokens: Tensor) -> Tensor:
        """Pool tokens of the last block as CLIP was trained, (B, N, C) to (B, D)."""
        pooled, _ = self.visual._pool(tokens)
        return self._to_joint_space(pooled)

    def _to_joint_space(self, normed: Tensor) -> Tensor:
        visual = self.visual
        return normed if visual.proj is None else normed @ visual.proj
