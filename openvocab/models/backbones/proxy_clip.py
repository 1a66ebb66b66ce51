"""A CLIP whose last block attends where a vision foundation model tells it to."""

from typing import Any

from torch import Tensor, nn

from openvocab.models.building import build_module
from openvocab.models.clip_factory import clip_fingerprint
from openvocab.models.freezing import freeze
from openvocab.models.teachers.vfm import features_on_grid
from openvocab.registry import MODELS

from .clip_backbone import CLIPBackbone
from .proxy_readout import GuidedBlock, ProxyReadout
from .towers import TransformerTower
from .towers.base import to_map


@MODELS.register_module()
class ProxyCLIP(CLIPBackbone):
    """:class:`CLIPBackbone` read out by :class:`ProxyReadout`: training-free.

    ::

        images -> CLIP, all but the last block -> values -+
               -> VFM -> similarities of its tokens ------+-> projection -> dense

    The dense map has the grid of the VFM: 42 x 42 for 336 px and DINO ViT-B/8, where
    CLIP ViT-B/16 has 21 x 21. Both models are frozen.

    Args:
        arch: Architecture of a ViT or an EVA, as for :class:`CLIPBackbone`.
        checkpoint: Weights, as for :class:`CLIPBackbone`.
        vfm: Config of a :class:`~openvocab.models.teachers.vfm.VFMTeacher`, e.g.
            ``dict(type='openvocab.DINO', arch='vit_base_patch8_224.dino')``.
        readout: Config of a :class:`ProxyReadout`.
        vfm_long_side: The longer side of what the VFM is shown, in pixels (1024 for SAM
            in the paper); by default it sees the pixels that CLIP sees. Sides are
            rounded down to its patch.
        init_cfg: As for :class:`CLIPBackbone`.

    Raises:
        TypeError: The readout is no :class:`ProxyReadout`.
        ValueError: The architecture is convolutional.

    Source: Lan et al., "ProxyCLIP: Proxy Attention Improves CLIP for Open-Vocabulary
    Segmentation", ECCV 2024.
    """

    def __init__(
        self,
        arch: str,
        checkpoint: str | None = None,
        vfm: dict[str, Any] | nn.Module = dict(  # noqa: B006
            type='openvocab.DINO', arch='vit_base_patch8_224.dino'
        ),
        readout: dict[str, Any] | ProxyReadout | None = None,
        vfm_long_side: int | None = None,
        init_cfg: dict[str, Any] | None = None,
    ) -> None:
        readout = readout or ProxyReadout()
        super().__init__(arch, checkpoint, readout, init_cfg=init_cfg)
        if not isinstance(self.readout, ProxyReadout):
            raise TypeError(
                f'ProxyCLIP is read out by a ProxyReadout, not by a '
                f'{type(self.readout).__name__}; use openvocab.CLIPBackbone'
            )
        assert isinstance(self.tower, TransformerTower)
        self.vfm = freeze(build_module(vfm))
        self.vfm_long_side = vfm_long_side

    def forward(self, images: Tensor) -> tuple[Tensor, ...]:
        """Compute the dense embedding.

        Args:
            images: (B, 3, H, W), normalised; H and W multiples of ``patch_size``.

        Returns:
            One map (B, embed_dim, h', w') on the grid of the VFM, not normalised.
        """
        self._check_size(images)
        block, tokens = self.last_block(images)
        dense = self.tower.project(self.readout(block, tokens))
        return (to_map(dense, tuple(block.guide.shape[-2:])),)

    def last_block(self, images: Tensor) -> tuple[GuidedBlock, Tensor]:
        """The last block with its guide, and the tokens (B, N, C) that enter it."""
        last = len(self.tower.groups) - 1
        (tokens,), grid = self.tower.first_blocks(images, [last])
        return GuidedBlock(self.tower.view(last, grid), self.guide(images)), tokens

    def guide(self, images: Tensor) -> Tensor:
        """Features of the VFM, (B, C, h', w'), for images (B, 3, H, W)."""
        height, width = images.shape[-2:]
        ratio = (self.vfm_long_side or max(height, width)) / max(height, width)
        patch = self.vfm.patch_size
        grid = tuple(max(round(s * ratio) // patch, 1) for s in (height, width))
        return features_on_grid(self.vfm, images, self.mean, self.std, grid)

    def record(self) -> dict[str, Any]:
        """Identify the encoder; the readout's part names the VFM and its weights."""
        record = super().record()
        weights = clip_fingerprint(self.arch, None, self.vfm)
        vfm = f'{type(self.vfm).__name__}:{weights}'
        return dict(record, readout=dict(record['readout'], vfm=vfm))

    @property
    def strides(self) -> tuple[int, ...]:
        """Stride of the dense embedding, in pixels; nominal with ``vfm_long_side``."""
        return (self.vfm.patch_size,)
