"""What the transformer families share: tokens, one sequence, through equal blocks.

Besides the dense forward of :class:`Tower` they can be run in two parts, with extra
tokens in the second one:

    images -> embed -> first blocks -> tokens (B, N, C) -> last blocks -> tokens
                                          |  class token      | keys, values
                                          +-> M copies -------+-> M embeddings

Shape legend: B images, N = P + h * w tokens (P prefix tokens, the class token first),
C channels, H heads, M copies of the class token, D channels of the joint space.
"""

from abc import abstractmethod
from collections.abc import Sequence

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from ..dense_attention import DenseReadout, LastBlock
from .base import SizeCache, Tower, to_map


class TransformerTower(Tower):
    """Base of the transformer adapters; see :class:`Tower`."""

    num_heads: int
    """Attention heads of every block."""
    num_prefix_tokens: int
    """Tokens before the patch tokens: the class token, then registers."""
    pools_class_token: bool
    """Whether the class token alone is what was trained against the text."""

    def __init__(self, visual: nn.Module, readout: DenseReadout) -> None:
        super().__init__(visual, readout)
        self._positions = SizeCache()
        self._offsets = SizeCache()

    @property
    @abstractmethod
    def positions(self) -> Tensor | None:
        """Table of absolute positions, (rows, C), ``None`` where there is none."""

    def position_table(
        self, grid: tuple[int, int], native: tuple[int, int], offset: Tensor | None
    ) -> Tensor:
        """Resize ``positions``, and ``offset`` added to them, to a grid.

        Args:
            grid: Rows and columns wanted.
            native: Rows and columns of the table.
            offset: (rows, C) as ``positions``, or ``None``. It is resized by itself,
                which is the same (resizing is linear) and leaves both cacheable.
        """
        table = self._positions.position_table(self.positions, grid, native)
        if offset is None:
            return table
        return table + self._offsets.position_table(offset, grid, native)

    @abstractmethod
    def embed(
        self, images: Tensor, offset: Tensor | None = None
    ) -> tuple[Tensor, tuple[int, int]]:
        """Compute the tokens that enter the first block.

        Args:
            images: (B, 3, H, W), normalised.
            offset: Added to ``positions``, of the same shape.

        Returns:
            Tokens (B, N, C) and their grid (h, w).
        """

    @abstractmethod
    def views(self, grid: tuple[int, int]) -> Sequence[LastBlock]:
        """Show the parts of all blocks to code that mixes tokens its own way."""

    def view(self, index: int, grid: tuple[int, int]) -> LastBlock:
        """Show the parts of one block."""
        return self.views(grid)[index]

    @abstractmethod
    def project(self, tokens: Tensor) -> Tensor:
        """Norm and project tokens of the last block, (B, M, C) to (B, M, D)."""

    @abstractmethod
    def pool(self, tokens: Tensor) -> Tensor:
        """Pool tokens of the last block as CLIP was trained, (B, N, C) to (B, D)."""

    def forward(
        self, images: Tensor, out_indices: Sequence[int]
    ) -> tuple[list[Tensor], Tensor]:
        """Compute tapped maps and the dense embedding."""
        last, prefix = len(self.groups) - 1, self.num_prefix_tokens
        levels = sorted({last, *(min(index + 1, last) for index in out_indices)})
        kept, grid = self.first_blocks(images, levels)
        after = dict(zip(levels, kept, strict=True))
        after[last + 1] = self.readout(self.view(last, grid), after[last])
        maps = [to_map(after[index + 1][:, prefix:], grid) for index in out_indices]
        return maps, to_map(self.project(after[last + 1][:, prefix:]), grid)

    def encode_image(self, images: Tensor) -> Tensor:
        """Pooled embedding as CLIP was trained."""
        (tokens,), _ = self.first_blocks(images, [len(self.groups)])
        return self.pool(tokens)

    def first_blocks(
        self, images: Tensor, levels: Sequence[int], offset: Tensor | None = None
    ) -> tuple[list[Tensor], tuple[int, int]]:
        """Run as many blocks as the highest level asks for.

        Args:
            images: (B, 3, H, W), normalised.
            levels: Rising numbers of blocks; 0 is what enters the first one.
            offset: Added to the position table, see :meth:`embed`.

        Returns:
            Tokens (B, N, C) after so many blocks, one per level, and their grid.
        """
        tokens, grid = self.embed(images, offset)
        kept = [tokens] if 0 in levels else []
        blocks = self.views(grid)[: max(levels, default=0)]
        for level, block in enumerate(blocks, start=1):
            tokens = self._run(block.forward, tokens)
            if level in levels:
                kept.append(tokens)
        return kept, grid

    def embed_copies(
        self, tokens: Tensor, grid: tuple[int, int], start: int, bias: Tensor
    ) -> Tensor:
        """Embed copies of the class token, each with its own view of the patches.

        A copy attends to itself, to the registers and to the patches, with ``bias`` on
        its attention logits towards patches; nothing attends to a copy. So the other
        tokens are those of the unmodified tower, copies do not depend on each other,
        and a copy with a bias of zero is the class token.

        Args:
            tokens: (B, N, C) after ``start`` blocks.
            grid: Their grid.
            start: Index of the first block to run.
            bias: (B, H or 1, M, h * w), the same in every block.

        Returns:
            (B, M, D), not normalised.

        Raises:
            ValueError: ``bias`` has another number of heads or of patches.

        Source: Xu et al., "Side Adapter Network for Open-Vocabulary Semantic
        Segmentation", CVPR 2023, section 3.2, where copies are called SLS tokens.
        There -100 stands for minus infinity.
        """
        heads, count, patches = bias.shape[1:]
        if heads not in (1, self.num_heads) or patches != grid[0] * grid[1]:
            raise ValueError(
                f'bias for {heads} heads and {patches} patches, this encoder has '
                f'{self.num_heads} heads and {grid[0]} x {grid[1]} patches'
            )
        copies = tokens[:, :1].expand(-1, count, -1)
        mask, views = None, self.views(grid)
        for view in views[start:]:
            keys, values = view.keys(tokens), view.values(tokens)
            if mask is None:  # under autocast, in the type of the keys
                mask = _copy_mask(bias.to(keys.dtype), self.num_prefix_tokens - 1)
            out = self._run(_CopyStep(view), copies, keys, values, mask)
            if view is not views[-1]:
                tokens = self._run(_PlainStep(view), tokens, keys, values)
            copies = out
        return self.project(copies)


class _PlainStep:
    """The block as it was trained, on keys and values that are there already."""

    def __init__(self, view: LastBlock) -> None:
        self.view = view

    def __call__(self, tokens: Tensor, keys: Tensor, values: Tensor) -> Tensor:
        view = self.view
        context = F.scaled_dot_product_attention(view.queries(tokens), keys, values)
        return _finish(view, tokens, context)


class _CopyStep:
    """One block for copies: (B, M, C), keys and values of all tokens (B, H, N, D)."""

    def __init__(self, view: LastBlock) -> None:
        self.view = view

    def __call__(
        self, copies: Tensor, keys: Tensor, values: Tensor, mask: Tensor
    ) -> Tensor:
        view = self.view
        # A copy stands in no place of the image: never rotated, like the class token,
        # whose own key is left out (a copy has itself instead).
        own = view.keys(copies, rope=False), view.values(copies)
        context = F.scaled_dot_product_attention(
            view.queries(copies, rope=False),
            torch.cat([keys[:, :, 1:], own[0]], dim=2),
            torch.cat([values[:, :, 1:], own[1]], dim=2),
            attn_mask=mask,
        )
        return _finish(view, copies, context)


def _finish(view: LastBlock, tokens: Tensor, context: Tensor) -> Tensor:
    return view.feed_forward(view.add_residual(tokens, view.merge(context)))


def _copy_mask(bias: Tensor, registers: int) -> Tensor:
    """What is added to attention logits of copies.

    Args:
        bias: (B, H, M, L) towards patches.
        registers: Prefix tokens that copies see besides, with a bias of zero.

    Returns:
        (B, H, M, registers + L + M), its rows 16-element aligned in memory, as fused
        attention kernels want them: they would pad a copy in every block.
    """
    batch, heads, count, patches = bias.shape
    apart = bias.new_full((count, count), -torch.inf).fill_diagonal_(0)
    width = registers + patches + count
    parts = [
        bias.new_zeros(batch, heads, count, registers),
        bias,
        apart.expand(batch, heads, -1, -1),
        bias.new_zeros(batch, heads, count, -width % 16),
    ]
    return torch.cat(parts, dim=-1)[..., :width]
