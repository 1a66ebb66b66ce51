"""What :class:`CLIPBackbone` asks of an image tower, whatever its architecture."""

from abc import ABC, abstractmethod
from collections import OrderedDict
from collections.abc import Callable, Iterable, Sequence
from typing import ClassVar

import torch
import torch.nn.functional as F
from einops import rearrange
from torch import Tensor, nn
from torch.utils.checkpoint import checkpoint

from ..dense_attention import DenseReadout


class Tower(ABC):
    """Adapter around one of open_clip's image towers.

    It owns no parameters: the tower stays a module of the backbone, so that state dicts
    keep open_clip's names.

    Args:
        visual: Open_clip's image tower.
        readout: How the last block is read out.
    """

    family: ClassVar[str]
    """Name of the architecture family."""
    normalize_before_pooling: ClassVar[bool]
    """Whether dense vectors are L2-normalised before a region averages them."""

    patch_size: int
    """Stride of the dense embedding; image sides must be multiples of it."""
    embed_dim: int
    """Channels of the joint space."""

    def __init__(self, visual: nn.Module, readout: DenseReadout) -> None:
        self.visual = visual
        self.readout = readout
        self.grad_checkpointing = False

    @property
    def root(self) -> nn.Module:
        """The module that holds the whole tower."""
        return self.visual

    @property
    @abstractmethod
    def levels(self) -> list[tuple[int, int]]:
        """Stride and channels of every map that can be tapped."""

    @property
    @abstractmethod
    def groups(self) -> list[nn.Module]:
        """Blocks (or stages) in order."""

    def separate_unused(self) -> None:
        """Rebuild what mixes used and unused weights in one parameter, before training.

        State dicts and outputs stay the same.
        """
        return

    def unused_parameters(self) -> list[nn.Parameter]:
        """Parameters that the dense forward never touches."""
        return []

    def attention_weights(self, letters: Iterable[str]) -> list[nn.Parameter]:
        """Weights of the q, k or v projections of all blocks, made separate.

        Raises:
            ValueError: The tower has no such parameters.
        """
        raise ValueError(
            f'the {self.family} family has no q, k and v projections to train; use '
            "trainable_blocks, or trainable=dict(type='openvocab.WholeTower')"
        )

    @abstractmethod
    def forward(
        self, images: Tensor, out_indices: Sequence[int]
    ) -> tuple[list[Tensor], Tensor]:
        """Compute tapped maps and the dense embedding.

        Args:
            images: (B, 3, H, W), normalised.
            out_indices: Levels to tap.

        Returns:
            The tapped maps, each (B, channels, H / stride, W / stride), in the order of
            ``out_indices``, and the dense embedding
            (B, embed_dim, H / patch_size, W / patch_size).
        """

    @abstractmethod
    def encode_image(self, images: Tensor) -> Tensor:
        """Pooled embedding as CLIP was trained, (B, 3, H, W) to (B, embed_dim)."""

    def _run(self, block: nn.Module, *inputs: Tensor) -> Tensor:
        """Run one block, recomputing it in the backward pass where that is wanted."""
        if self.grad_checkpointing and torch.is_grad_enabled():
            return checkpoint(block, *inputs, use_reentrant=False)
        return block(*inputs)


class SizeCache:
    """Tables that depend on the grid and on a tensor, computed once per grid.

    An entry is computed anew once that tensor was changed, replaced or moved. Of many
    grids the last used are kept: images in their own aspect ratios have about a
    hundred, which of a ViT-L would be more than a gigabyte.

    Args:
        size: Number of grids that are kept.
    """

    def __init__(self, size: int = 16) -> None:
        self._size = size
        self._entries: OrderedDict[tuple[int, int], tuple[tuple, Tensor]] = (
            OrderedDict()
        )

    def __deepcopy__(self, memo: dict) -> 'SizeCache':
        return SizeCache(self._size)

    def table(
        self, grid: tuple[int, int], source: Tensor, make: Callable[[], Tensor]
    ) -> Tensor:
        """Return the table of a grid, from the cache or from ``make``.

        Args:
            grid: Rows and columns.
            source: The tensor that the table derives from.
            make: Computes the table; runs without a gradient.
        """
        if torch.compiler.is_compiling():  # a traced tensor has no identity to go by
            return make()
        state = (source.data_ptr(), source._version, source.dtype, source.device)
        entry = self._entries.get(grid)
        if entry is None or entry[0] != state:
            # Out of inference mode: a training step may use the same entry later.
            with torch.inference_mode(False), torch.no_grad():
                entry = self._entries[grid] = (state, make())
            if len(self._entries) > self._size:
                self._entries.popitem(last=False)
        self._entries.move_to_end(grid)
        return entry[1]

    def position_table(
        self, table: Tensor, grid: tuple[int, int], native: tuple[int, int]
    ) -> Tensor:
        """Resize a table of absolute positions (prefix rows first) to a grid.

        Bicubic, corners not aligned, no antialiasing, each axis by its own factor;
        prefix rows (class token) are kept.

        Args:
            table: (P + h * w, C).
            grid: Rows and columns wanted.
            native: Rows and columns of the table, h and w.

        Returns:
            (P + grid[0] * grid[1], C); the table itself where the grids agree.
        """
        if grid == tuple(native):
            return table
        if table.requires_grad and torch.is_grad_enabled():
            return _resize(table, grid, native)
        return self.table(grid, table, lambda: _resize(table.detach(), grid, native))


def to_map(tokens: Tensor, grid: tuple[int, int]) -> Tensor:
    """Reshape patch tokens (B, h * w, C) to a map (B, C, h, w)."""
    return rearrange(tokens, 'b (h w) c -> b c h w', h=grid[0]).contiguous()


def _resize(table: Tensor, grid: tuple[int, int], native: tuple[int, int]) -> Tensor:
    prefix = table.shape[0] - native[0] * native[1]
    patches = table[prefix:].float().T.reshape(1, -1, *native)
    patches = F.interpolate(patches, size=grid, mode='bicubic', align_corners=False)
    patches = patches.flatten(2)[0].T.to(table.dtype)
    return torch.cat([table[:prefix], patches])
