"""CAT-Seg: refining the similarity of every position with every class.

Call graph::

    forward   dense, text -> cosine_volume -> [best classes] -> embed (7 x 7)
                -> layers: SpatialAggregator, ClassAggregator -> GuidedUpsampling x 2
                -> one logit per class
    loss      forward -> OVBCELoss

Shape legend: B images, K classes, P prompts per class, h x w tokens, D width of the
joint space, C hidden channels, G channels of guidance.
"""

from collections.abc import Sequence
from typing import NamedTuple

import torch
import torch.nn.functional as F
from einops import rearrange
from torch import Tensor, nn

from openvocab.models.layers import ClassAggregator, ClassChunks, SpatialAggregator
from openvocab.registry import MODELS

from .class_map_head import ClassMapHead

_DROPPED = -100.0


class Guidance(NamedTuple):
    """What all classes of an image share, computed once."""

    layers: list
    """Per aggregation layer, what :meth:`SpatialAggregator.guide` returned."""
    stages: list[Tensor]
    """Per decoder stage, what :meth:`GuidedUpsampling.guide` returned."""


class AggregationLayer(nn.Module):
    """Spatial, then class aggregation."""

    def __init__(
        self, dim: int, guide_dim: int, num_heads: int, window: int, pad_classes: int
    ) -> None:
        super().__init__()
        self.spatial = SpatialAggregator(dim, guide_dim, num_heads, window)
        self.classes = ClassAggregator(dim, guide_dim, num_heads, pad_classes)

    def forward(
        self, x: Tensor, guide: list, text: Tensor, pool: int, chunks: ClassChunks
    ) -> Tensor:
        """Aggregate, (B, K, h, w, C) to the same; ``text`` is (B or 1, K, G)."""
        x = chunks.run(self.spatial, x, guide)
        return self.classes(x, text, pool, chunks)


@MODELS.register_module()
class CATSegHead(ClassMapHead):
    """Cost aggregation: logits of any number of classes from a dense CLIP map.

    Nothing depends on the number of classes or on the size of the grid. Classes meet
    only in the class aggregation, as two sums over all of them; so all else runs for a
    few classes at a time, with the same result.

    Args:
        in_channels: Channels of the backbone's maps, the dense one last; the one or
            more before it guide as many decoder stages, the coarser first.
        strides: Their strides, in pixels.
        dim: C.
        guide_dim: G.
        num_heads: Attention heads of both aggregations.
        num_layers: Aggregation layers.
        window: Side of a spatial attention window in tokens.
        pool: Average pooling before class aggregation, in training.
        pool_test: The same in inference; the published results are made without.
        pad_classes: Smaller vocabularies are filled up to this number of classes with a
            learned one, see :class:`ClassAggregator`.
        max_classes: Of larger vocabularies only so many are refined per image or
            window, those with the highest cosine anywhere in it; the others get a logit
            of -100. A choice of the model, as published, not a need of memory: None
            refines every class.
        num_prompts: P, the channels of the cost volume. With 1, rows of several prompts
            are averaged.
        decoder_dims: Channels of the decoder stages.
        tap_dims: Channels of the guidance of a stage before it is projected.
        tap_guide_dims: And after.
        normalize_guidance: Guide by the direction of the dense embedding alone, as in
            DeCLIP's CAT-Seg on EVA-CLIP; the stock one guides by the raw map.
        max_maps: Images times classes that run at a time in inference; None runs all.
        grad_checkpointing: In training too, recomputing them in the backward pass.
        loss: Config of the loss, ``loss(logits, labels)``.
        init_cfg: See mmengine's ``BaseModule``.

    Source: Cho et al., "CAT-Seg: Cost Aggregation for Open-Vocabulary Semantic
    Segmentation", CVPR 2024, section 3; where the paper is silent, its public code.
    """

    def __init__(
        self,
        in_channels: Sequence[int],
        strides: Sequence[int],
        dim: int = 128,
        guide_dim: int = 128,
        num_heads: int = 4,
        num_layers: int = 2,
        window: int = 12,
        pool: int = 2,
        pool_test: int = 1,
        pad_classes: int = 256,
        max_classes: int | None = 256,
        num_prompts: int = 1,
        decoder_dims: Sequence[int] = (64, 32),
        tap_dims: Sequence[int] = (256, 128),
        tap_guide_dims: Sequence[int] = (32, 16),
        normalize_guidance: bool = False,
        max_maps: int | None = 32,
        grad_checkpointing: bool = False,
        loss: dict | nn.Module = dict(type='openvocab.OVBCELoss'),  # noqa: B006
        init_cfg: dict | list[dict] | None = None,
    ) -> None:
        super().__init__(max_maps, grad_checkpointing, loss, init_cfg)
        *tap_channels, embed_dim = in_channels
        self.pool, self.pool_test = pool, pool_test
        self.max_classes = max_classes
        self.num_prompts = num_prompts
        self.normalize_guidance = normalize_guidance
        self.embed = nn.Conv2d(num_prompts, dim, 7, padding=3)
        self.image_guidance = nn.Sequential(
            nn.Conv2d(embed_dim, guide_dim, 3, padding=1), nn.ReLU()
        )
        self.text_guidance = nn.Sequential(nn.Linear(embed_dim, guide_dim), nn.ReLU())
        self.layers = nn.ModuleList(
            AggregationLayer(dim, guide_dim, num_heads, window, pad_classes)
            for _ in range(num_layers)
        )
        self.build_decoder(
            dim, tap_channels, strides, decoder_dims, tap_dims, tap_guide_dims
        )

    def forward(self, features: Sequence[Tensor], text: Tensor) -> Tensor:
        """Compute logits.

        Args:
            features: The backbone's maps, the dense embedding (B, D, h, w) last.
            text: (K, D) or (K, P, D) unit rows.

        Returns:
            (B, K, s * h, s * w), s = 2 to the power of the number of decoder stages.
        """
        *taps, dense = features
        cost, text_guide = self._volume(dense, text)
        kept, cost, text_guide = self._best(cost, text_guide)
        guidance = self._guide(taps, dense)
        x = self.chunks.run(self.embed_cost, cost)
        pool = self.pool if self.training else self.pool_test
        for layer, guide in zip(self.layers, guidance.layers, strict=True):
            x = layer(x, guide, text_guide, pool, self.chunks)
        logits = self.chunks.run(self.decode, x, guidance.stages)
        if kept is None:
            return logits
        batch, _, height, width = logits.shape
        every = logits.new_full((batch, len(text), height, width), _DROPPED)
        return every.scatter(1, kept[..., None, None].expand_as(logits), logits)

    def _volume(self, dense: Tensor, text: Tensor) -> tuple[Tensor, Tensor]:
        """Cosines (B, K, P, h, w) and the guidance of the text (1, K, G)."""
        text = text[:, None] if text.ndim == 2 else text
        mean = F.normalize(text.float().mean(dim=1), dim=-1)
        if self.num_prompts == 1:
            text = mean[:, None]
        elif text.shape[1] != self.num_prompts:
            raise ValueError(
                f'text rows of {text.shape[1]} prompts, the head has num_prompts='
                f'{self.num_prompts}'
            )
        return cosine_volume(dense, text), self.text_guidance(mean)[None]

    def _best(self, cost: Tensor, text: Tensor) -> tuple[Tensor | None, Tensor, Tensor]:
        """Keep the classes that occur most clearly in each image, in their order."""
        if self.max_classes is None or cost.shape[1] <= self.max_classes:
            return None, cost, text
        scores = cost.amax(dim=(2, 3, 4))
        kept = scores.topk(self.max_classes, dim=1).indices.sort(dim=1).values
        cost = torch.stack([c[rows] for c, rows in zip(cost, kept, strict=True)])
        return kept, cost, text[0][kept]

    def _guide(self, taps: Sequence[Tensor], dense: Tensor) -> Guidance:
        if self.normalize_guidance:
            dense = F.normalize(dense, dim=1)
        image = rearrange(self.image_guidance(dense), 'b c h w -> b h w c')
        return Guidance(
            [layer.spatial.guide(image) for layer in self.layers],
            self.stage_guides(taps),
        )


def cosine_volume(dense: Tensor, text: Tensor) -> Tensor:
    """Cosine of every position with every row.

    Args:
        dense: (B, D, h, w), any length.
        text: (K, P, D) unit rows.

    Returns:
        (B, K, P, h, w) float32. A class's part does not depend on the others.
    """
    with torch.autocast(dense.device.type, enabled=False):
        dense = F.normalize(dense.float(), dim=1)
        return torch.einsum('bdhw,kpd->bkphw', dense, text.float())
