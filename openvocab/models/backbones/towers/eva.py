"""EVA-02-CLIP: timm's ``Eva`` inside open_clip's ``TimmModel``."""

from collections.abc import Iterable

import torch
import torch.nn.functional as F
from einops import rearrange
from open_clip.timm_model import TimmModel
from timm.layers import RotaryEmbeddingCat, apply_rot_embed_cat
from timm.models.eva import EvaAttention, EvaBlock
from torch import Tensor, nn

from ..dense_attention import DenseReadout
from .base import SizeCache
from .transformer import TransformerTower


class EVABlock:
    """The :class:`LastBlock` view of timm's ``EvaBlock``."""

    def __init__(
        self, block: EvaBlock, grid: tuple[int, int], rope: Tensor | None
    ) -> None:
        self.block = block
        self.grid = grid
        self.rope = rope
        self.num_prefix_tokens = block.attn.num_prefix_tokens

    def forward(self, tokens: Tensor) -> Tensor:
        """Run the block as it was trained."""
        return self.block(tokens, self.rope)

    def normed(self, tokens: Tensor) -> Tensor:
        """Tokens as the attention sees them."""
        return self.block.norm1(tokens)

    def queries(self, tokens: Tensor, rope: bool = True) -> Tensor:
        """Queries (B, H, N, D), patch tokens rotated."""
        return self._rotate(self.block.attn.q_norm(self._project(tokens, 0)), rope)

    def keys(self, tokens: Tensor, rope: bool = True) -> Tensor:
        """Keys (B, H, N, D), patch tokens rotated."""
        return self._rotate(self.block.attn.k_norm(self._project(tokens, 1)), rope)

    def values(self, tokens: Tensor) -> Tensor:
        """Values (B, H, N, D)."""
        return self._project(tokens, 2)

    def merge(self, context: Tensor) -> Tensor:
        """Join heads, apply the inner norm (sub-LN) and project."""
        attn = self.block.attn
        return attn.proj(attn.norm(rearrange(context, 'b h n d -> b n (h d)')))

    def add_residual(self, tokens: Tensor, out: Tensor) -> Tensor:
        """Add the attention branch, layer scale applied, to the tokens."""
        block = self.block
        out = out if block.gamma_1 is None else block.gamma_1 * out
        return tokens + block.drop_path1(out)

    def feed_forward(self, tokens: Tensor) -> Tensor:
        """Apply the FFN with its norm, layer scale and residual."""
        block = self.block
        out = block.mlp(block.norm2(tokens))
        out = out if block.gamma_2 is None else block.gamma_2 * out
        return tokens + block.drop_path2(out)

    def _project(self, tokens: Tensor, index: int) -> Tensor:
        """One of the projections (0 q, 1 k, 2 v), separate or fused in the model."""
        attn, tokens = self.block.attn, self.normed(tokens)
        if attn.qkv is None:
            out = (attn.q_proj, attn.k_proj, attn.v_proj)[index](tokens)
        else:
            width = attn.qkv.out_features // 3
            weight = attn.qkv.weight[index * width : (index + 1) * width]
            bias = (attn.q_bias, attn.k_bias, attn.v_bias)[index]
            out = F.linear(tokens, weight, bias)
        return rearrange(out, 'b n (h d) -> b h n d', h=attn.num_heads)

    def _rotate(self, heads: Tensor, rope: bool) -> Tensor:
        if not rope or self.rope is None:
            return heads
        count = self.num_prefix_tokens
        prefix, patches = heads[:, :, :count], heads[:, :, count:]
        half = getattr(self.block.attn, 'rotate_half', False)
        rotated = apply_rot_embed_cat(patches, self.rope, half=half)
        return torch.cat([prefix, rotated.type_as(heads)], dim=2)


class EVATower(TransformerTower):
    """Adapter of timm's ``Eva`` trunk; see :class:`Tower`."""

    family = 'eva'
    normalize_before_pooling = False

    def __init__(self, visual: TimmModel, readout: DenseReadout) -> None:
        super().__init__(visual, readout)
        trunk = visual.trunk
        for block in trunk.blocks:
            plain = isinstance(block, EvaBlock) and isinstance(block.attn, EvaAttention)
            if not plain or getattr(block.attn, 'gate', None) is not None:
                raise ValueError(
                    f'{type(block).__name__} with {type(block.attn).__name__} is not '
                    "supported, only EVA-02's pre-norm block with plain attention"
                )
        if not isinstance(trunk.rope, RotaryEmbeddingCat | None):
            raise ValueError(f'{type(trunk.rope).__name__} is not supported')
        if trunk.attn_pool is not None:
            raise ValueError('towers with attention pooling are not supported')
        self.patch_size = trunk.patch_embed.patch_size[0]
        self.embed_dim = _width(visual)
        self.num_heads = trunk.blocks[0].attn.num_heads
        self.num_prefix_tokens = trunk.num_prefix_tokens
        self.pools_class_token = trunk.global_pool == 'token'
        self._rope = SizeCache()

    @property
    def levels(self) -> list[tuple[int, int]]:
        """Stride and channels of every block."""
        return [(self.patch_size, self.visual.trunk.embed_dim)] * len(self.groups)

    @property
    def groups(self) -> list[nn.Module]:
        """The transformer blocks."""
        return list(self.visual.trunk.blocks)

    def unused_parameters(self) -> list[nn.Parameter]:
        """Projections of the last block that the readout never reads, and its FFN."""
        last, unused = self.groups[-1], []
        for letter in frozenset('qk') - self.readout.uses:
            for name in (f'{letter}_proj', f'{letter}_norm', f'{letter}_bias'):
                unused.append(getattr(last.attn, name))
        if not self.readout.ffn:
            unused += [last.norm2, last.mlp, last.gamma_2]
        if not self.readout.residual:
            unused.append(last.gamma_1)
        return [parameter for item in unused for parameter in _parameters(item)]

    def attention_weights(self, letters: Iterable[str]) -> list[nn.Parameter]:
        """Weights of the q, k or v projections of all blocks.

        Raises:
            ValueError: They are one parameter in this model.
        """
        attentions = [block.attn for block in self.groups]
        if any(attention.qkv is not None for attention in attentions):
            raise ValueError(
                'this EVA keeps q, k and v in one parameter: they cannot train apart '
                '(the EVA-02-CLIP B and L models keep them separate)'
            )
        return [getattr(a, f'{x}_proj').weight for a in attentions for x in letters]

    @property
    def positions(self) -> Tensor | None:
        """Table of absolute positions; rows of prefix tokens where they have some."""
        table = self.visual.trunk.pos_embed
        return None if table is None else table[0]

    def embed(
        self, images: Tensor, offset: Tensor | None = None
    ) -> tuple[Tensor, tuple[int, int]]:
        """Compute the tokens that enter the first block."""
        trunk = self.visual.trunk
        patches = trunk.patch_embed(images)
        grid = (patches.shape[1], patches.shape[2])
        tokens = rearrange(patches, 'b h w c -> b (h w) c')
        prefix = [t for t in (trunk.cls_token, trunk.reg_token) if t is not None]
        prefix = [
            token.to(tokens.dtype).expand(len(tokens), -1, -1) for token in prefix
        ]
        if trunk.pos_embed is None:
            tokens = torch.cat([*prefix, tokens], dim=1)
        else:
            native = trunk.patch_embed.grid_size
            table = self.position_table(grid, native, offset).to(tokens.dtype)
            if trunk.no_embed_class:
                tokens = torch.cat([*prefix, tokens + table], dim=1)
            else:
                tokens = torch.cat([*prefix, tokens], dim=1) + table
        return trunk.norm_pre(tokens), grid

    def views(self, grid: tuple[int, int]) -> list[EVABlock]:
        """Show the parts of all blocks, which share one rotary table."""
        rope = self._rotary(grid)
        return [EVABlock(block, grid, rope) for block in self.groups]

    def project(self, tokens: Tensor) -> Tensor:
        """Norm and project tokens of the last block, (B, M, C) to (B, M, D)."""
        trunk = self.visual.trunk
        return self.visual.head(trunk.head(trunk.fc_norm(trunk.norm(tokens))))

    def pool(self, tokens: Tensor) -> Tensor:
        """Pool tokens of the last block as CLIP was trained, (B, N, C) to (B, D)."""
        trunk = self.visual.trunk
        return self.visual.head(trunk.forward_head(trunk.norm(tokens)))

    def _rotary(self, grid: tuple[int, int]) -> Tensor | None:
        """The rotary table of a grid, (h * w, 2 * D)."""
        rope = self.visual.trunk.rope
        if rope is None:
            return None
        return self._rope.table(grid, rope.bands, lambda: rope.get_embed(shape=grid))


def _width(visual: TimmModel) -> int:
    """Channels of the joint space: open_clip's projection, else the trunk's head."""
    linear = [m for m in visual.head.modules() if isinstance(m, nn.Linear)]
    head = linear[-1] if linear else visual.trunk.head
    return getattr(head, 'out_features', visual.trunk.num_features)


def _parameters(item: nn.Module | Tensor | None) -> list[nn.Parameter]:
    if isinstance(item, nn.Module):
        return list(item.parameters())
    return [item] if isinstance(item, nn.Parameter) else []
