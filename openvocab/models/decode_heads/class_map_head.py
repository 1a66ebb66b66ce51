"""What heads share that hold a map for every class and decode it to a logit.

Shape legend: B images, K classes (n of a chunk), P prompts, h x w tokens, C channels.
"""

from collections.abc import Sequence

from einops import rearrange
from mmengine.model import BaseModule
from torch import Tensor, nn

from openvocab.models.building import build_module
from openvocab.models.layers import (
    ClassChunks,
    GuidedUpsampling,
    TapGuidance,
    tap_order,
)


class ClassMapHead(BaseModule):
    """Base: upsampling guided by tapped maps, a logit per class, the loss.

    A subclass has ``forward(features, text) -> (B, K, s * h, s * w)`` logits and calls
    :meth:`build_decoder`; where it has a layer ``embed``, :meth:`embed_cost` runs it.

    Args:
        max_maps: Images times classes that run at a time in inference; None runs all.
        grad_checkpointing: In training too, recomputing them in the backward pass.
        loss: Config of the loss, ``loss(logits, labels)``.
        init_cfg: See mmengine's ``BaseModule``.
    """

    def __init__(
        self,
        max_maps: int | None,
        grad_checkpointing: bool,
        loss: dict | nn.Module,
        init_cfg: dict | list[dict] | None = None,
    ) -> None:
        super().__init__(init_cfg)
        self.chunks = ClassChunks(max_maps, grad_checkpointing)
        self.criterion = build_module(loss)

    def build_decoder(
        self,
        dim: int,
        tap_channels: Sequence[int],
        strides: Sequence[int],
        decoder_dims: Sequence[int],
        tap_dims: Sequence[int],
        tap_guide_dims: Sequence[int],
    ) -> None:
        """Make the layers of :meth:`decode` and :meth:`stage_guides`.

        Args:
            dim: C of the maps to decode.
            tap_channels: Channels of the tapped maps, as many as stages.
            strides: Of the tapped maps, then of the dense one.
            decoder_dims: Channels of the stages.
            tap_dims: Channels of the guidance of a stage before it is projected.
            tap_guide_dims: And after.

        Raises:
            ValueError: Number or strides of the tapped maps do not fit the stages.
        """
        self.order = _checked_taps(strides, len(decoder_dims))
        self.taps, self.stages = nn.ModuleList(), nn.ModuleList()
        for level, tap in enumerate(self.order):
            self.taps.append(
                TapGuidance(
                    tap_channels[tap],
                    tap_dims[level],
                    tap_guide_dims[level],
                    _scale(strides, tap, level),
                )
            )
            dims = (dim, *decoder_dims)[level : level + 2]
            self.stages.append(GuidedUpsampling(*dims, tap_guide_dims[level]))
        self.classify = nn.Conv2d(decoder_dims[-1], 1, 3, padding=1)

    def loss(
        self, features: Sequence[Tensor], text: Tensor, labels: Tensor
    ) -> dict[str, Tensor]:
        """Compute the loss.

        Args:
            features: As for ``forward``.
            text: As for ``forward``.
            labels: (B, H, W) positions of rows of ``text``, ``IGNORED`` where there is
                no class, ``HELD_OUT`` where it is not trained.
        """
        return dict(loss_bce=self.criterion(self(features, text), labels))

    @staticmethod
    def activate(logits: Tensor) -> Tensor:
        """From logits to scores: every class by itself."""
        return logits.sigmoid()

    def stage_guides(self, taps: Sequence[Tensor]) -> list[Tensor]:
        """What tapped maps (B, .., h', w') add to the stages, once for all classes."""
        return [
            stage.guide(tap(taps[index]))
            for stage, tap, index in zip(
                self.stages, self.taps, self.order, strict=True
            )
        ]

    def embed_cost(self, cost: Tensor) -> Tensor:
        """Embed the cost of some classes, (B, n, P, h, w) to (B, n, h, w, C)."""
        x = self.embed(cost.flatten(0, 1))
        return rearrange(x, '(b n) c h w -> b n h w c', b=len(cost)).contiguous()

    def decode(self, x: Tensor, guides: Sequence[Tensor]) -> Tensor:
        """Logits of some classes, (B, n, h, w, C) to (B, n, s * h, s * w)."""
        maps = rearrange(x, 'b n h w c -> (b n) c h w')
        for stage, guide in zip(self.stages, guides, strict=True):
            maps = stage(maps, guide)
        return self.classify(maps).unflatten(0, x.shape[:2])[:, :, 0]


def _checked_taps(strides: Sequence[int], stages: int) -> list[int]:
    if len(strides) != stages + 1:
        raise ValueError(
            f'{len(strides) - 1} maps are tapped for {stages} decoder stages: set as '
            'many backbone.out_indices, e.g. (3, 7) of a ViT-B'
        )
    return tap_order(strides[:-1])


def _scale(strides: Sequence[int], tap: int, level: int) -> int:
    """How many times finer than a tapped map its decoder stage is."""
    wanted = strides[-1] / 2 ** (level + 1)
    scale = strides[tap] / wanted
    if scale < 1 or scale != int(scale):
        raise ValueError(
            f'decoder stage {level} has stride {wanted:g}, which a map of stride '
            f'{strides[tap]} cannot guide'
        )
    return int(scale)
