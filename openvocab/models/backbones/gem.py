"""A CLIP whose last blocks are read by self-self attention beside the trained path."""

from typing import Any

from torch import Tensor

from openvocab.registry import MODELS

from .clip_backbone import CLIPBackbone
from .gem_readout import GEMReadout
from .towers.base import to_map


@MODELS.register_module()
class GEM(CLIPBackbone):
    """:class:`CLIPBackbone` read out by :class:`GEMReadout` in its last blocks.

    ::

        tokens ----> block L-5 ----> ... ----> block L       as trained
          |            | attend                | attend
          +----------> + ------> ... --------> + -> projection -> dense

    The second path collects what the readout sees in each block; it has no FFN.

    Args:
        arch: Architecture of a ViT or an EVA, as for :class:`CLIPBackbone`.
        checkpoint: Weights, as for :class:`CLIPBackbone`.
        readout: Config of a :class:`GEMReadout`.
        blocks: How many of the last blocks it reads.
        init_cfg: As for :class:`CLIPBackbone`.

    Raises:
        TypeError: The readout is no :class:`GEMReadout`.
        ValueError: There are fewer blocks, or the architecture is convolutional.

    Source: see :class:`GEMReadout`.
    """

    def __init__(
        self,
        arch: str,
        checkpoint: str | None = None,
        readout: dict[str, Any] | GEMReadout | None = None,
        blocks: int = 6,
        init_cfg: dict[str, Any] | None = None,
    ) -> None:
        super().__init__(arch, checkpoint, readout or GEMReadout(), init_cfg=init_cfg)
        if not isinstance(self.readout, GEMReadout):
            raise TypeError(
                f'GEM is read out by a GEMReadout, not by a '
                f'{type(self.readout).__name__}; use openvocab.CLIPBackbone'
            )
        if not 1 <= blocks <= len(self.tower.groups):
            raise ValueError(
                f'blocks={blocks}: {arch} has {len(self.tower.groups)} blocks'
            )
        self.blocks = blocks

    def forward(self, images: Tensor) -> tuple[Tensor, ...]:
        """Compute the dense embedding.

        Args:
            images: (B, 3, H, W), normalised; H and W multiples of ``patch_size``.

        Returns:
            One map (B, embed_dim, h, w), not normalised.
        """
        self._check_size(images)
        tower = self.tower
        start = len(tower.groups) - self.blocks
        (tokens,), grid = tower.first_blocks(images, [start])
        read = tokens
        for index in range(start, len(tower.groups)):
            view = tower.view(index, grid)
            out = view.merge(self.readout.attend(view, tokens))
            read = view.add_residual(read, out) if self.readout.residual else out
            if index + 1 < len(tower.groups):
                tokens = view.forward(tokens)
        dense = tower.project(read[:, tower.num_prefix_tokens :])
        return (to_map(dense, grid),)

    def record(self) -> dict[str, Any]:
        """Identify the encoder; the readout's part counts the blocks."""
        record = super().record()
        return dict(record, readout=dict(record['readout'], blocks=self.blocks))
