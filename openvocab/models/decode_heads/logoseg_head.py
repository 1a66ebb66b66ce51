"""LoGoSeg: object prior, region alignment, contextual fusion, a map for every class.

Call graph::

    forward   text -> ObjectPrior: scaled text -> one query per class
              dense, scaled text -> RegionAlignment: guidance G
              F_mid, G, queries, text -> ContextualFusion: X_fused, queries
              query x X_fused + cost, per class -> GuidedUpsampling x 2 -> logit
    loss      forward -> OVBCELoss

Shape legend: B images, K classes (n of a chunk), P prompts per class, h x w tokens, D
width of the joint space, C hidden channels.
"""

import math
from collections.abc import Mapping, Sequence
from typing import Any

import torch
import torch.nn.functional as F
from einops import rearrange
from torch import Tensor, nn

from openvocab.models.building import build_module
from openvocab.registry import MODELS

from .cat_seg_head import cosine_volume
from .class_map_head import ClassMapHead

Config = Mapping[str, Any]


@MODELS.register_module()
class LoGoSegHead(ClassMapHead):
    """Logits of any number of classes from local structure and global context.

    Equations (1) and (2) are in :class:`ObjectPrior`, (3) to (7) in
    :class:`RegionAlignment`, (8) to (10) in :class:`ContextualFusion` and its parts,
    (13) in :class:`OVBCELoss`. Here::

        F_0     = correlation of T queries with the fused map                (2.4)
        F_{i+1} = Decoder_i(Upsample(F_i), S_i), i = 1, 2                    Eq. (11)
        logits resized bilinearly to the image                               Eq. (12)

    Ours:

    - There is one query per class, T = K: a learned vector that all classes share plus
      a linear map of the class's (scaled) text. So no parameter knows a class, any
      vocabulary may be asked for, and classes may be permuted. The paper lists T and N
      as different symbols without saying how logits of N classes come from T queries;
      :class:`LatentLoGoSegHead` is another reading.
    - The correlation is the product per channel of projected query and projected map;
      the embedded cosine of position and class is added (``cost_kernel``).
    - F_mid is the deepest tapped map, linearly projected to C channels; a map finer
      than the dense one (convolutional encoders) is averaged down to its grid.
    - "Pooled" text is the mean over a class's prompts; classes are never pooled.
    - S_i, upsampling and guided convolutions are those of CAT-Seg.
    - Every class begins with a low score (``initial_score``). Beginning at one half,
      the first steps only learn that most classes are absent, and to that end make all
      queries alike; a product with a map does not recover from it.
    - Resizing (Eq. 12, whose index we read as a crop of padding) is the segmentor's and
      the loss's.

    Classes meet in the regions' softmax and in the sums over keys of the queries'
    linear attention, on vectors. All that has a map per class runs for a few classes
    at a time with the same result.

    Args:
        in_channels: Channels of the backbone's maps, the dense one last; the others
            guide as many decoder stages.
        strides: Their strides, in pixels.
        dim: C.
        prior: Config of an :class:`ObjectPrior`; None removes it ("OP" of Table 2):
            text keeps its length.
        regions: Config of a :class:`RegionAlignment`; None removes it ("RA"): G is the
            dense map, linearly projected.
        fusion: Config of a :class:`ContextualFusion`; None removes it ("CCF"): X_fused
            is a linear map of [F_mid | G], and the queries stay as they are.
        prior_in_similarity: Similarities of regions are scaled by the prior, see
            :class:`RegionAlignment`; False is the paper to the letter.
        cost_kernel: Side of the convolution that embeds the cosines; None leaves them
            out.
        prior_in_cost: The prior scales the embedded cosines too.
        initial_score: What the scores of all classes begin near, in (0, 1).
        normalize_dense: Use the direction of the dense embedding alone. For encoders
            whose dense vectors differ in length for no reason, such as EVA-CLIP's.
        decoder_dims: Channels of the decoder stages.
        tap_dims: Channels of the guidance of a stage before it is projected.
        tap_guide_dims: And after.
        max_maps: Images times classes that run at a time in inference; None runs all.
        grad_checkpointing: In training too, recomputing them in the backward pass.
        loss: Config of the loss; ignored pixels do not count, as in Eq. (13).
        init_cfg: See mmengine's ``BaseModule``.

    Source: Chen et al., "LoGoSeg: Integrating Local and Global Features for
    Open-Vocabulary Semantic Segmentation", AAAI 2026, section 2. There is no public
    code.
    """

    def __init__(
        self,
        in_channels: Sequence[int],
        strides: Sequence[int],
        dim: int = 128,
        prior: Config | None = dict(type='openvocab.ObjectPrior'),  # noqa: B006
        regions: Config | None = dict(type='openvocab.RegionAlignment'),  # noqa: B006
        fusion: Config | None = dict(type='openvocab.ContextualFusion'),  # noqa: B006
        prior_in_similarity: bool = True,
        cost_kernel: int | None = 7,
        prior_in_cost: bool = False,
        initial_score: float = 0.01,
        normalize_dense: bool = False,
        decoder_dims: Sequence[int] = (64, 32),
        tap_dims: Sequence[int] = (256, 128),
        tap_guide_dims: Sequence[int] = (32, 16),
        max_maps: int | None = 32,
        grad_checkpointing: bool = False,
        loss: dict | nn.Module = dict(  # noqa: B006
            type='openvocab.OVBCELoss', ignored_as_negative=False
        ),
        init_cfg: dict | list[dict] | None = None,
    ) -> None:
        super().__init__(max_maps, grad_checkpointing, loss, init_cfg)
        *tap_channels, embed_dim = in_channels
        self.prior_in_cost = prior_in_cost
        self.normalize_dense = normalize_dense
        self.prior = None if prior is None else build_module(dict(prior))
        if regions is None:
            self.regions, self.project_dense = None, nn.Linear(embed_dim, dim)
        else:
            sizes = dict(embed_dim=embed_dim, dim=dim)
            flag = dict(prior_in_similarity=prior_in_similarity)
            self.regions = build_module({**sizes, **flag, **regions})
        self.project_middle = nn.Linear(tap_channels[-1], dim)
        self.text_query = _on_unit_rows(embed_dim, dim)
        if fusion is None:
            self.fusion, self.merge = None, nn.Linear(2 * dim, dim)
        else:
            self.fusion = build_module({'dim': dim, **fusion})
            self.text_token = _on_unit_rows(embed_dim, dim)
        self.correlate_query = nn.Linear(dim, dim)
        self.correlate_map = nn.Linear(dim, dim)
        self.embed = None
        if cost_kernel is not None:
            self.embed = nn.Conv2d(1, dim, cost_kernel, padding=cost_kernel // 2)
        self.build_decoder(
            dim, tap_channels, strides, decoder_dims, tap_dims, tap_guide_dims
        )
        if not 0 < initial_score < 1:
            raise ValueError(f'initial_score={initial_score} must lie in (0, 1)')
        odds = initial_score / (1 - initial_score)
        nn.init.constant_(self.classify.bias, math.log(odds))

    def forward(self, features: Sequence[Tensor], text: Tensor) -> Tensor:
        """Compute logits.

        Args:
            features: The backbone's maps, the dense embedding (B, D, h, w) last.
            text: (K, D) or (K, P, D) unit rows.

        Returns:
            (B, K, s * h, s * w), s = 2 to the power of the number of decoder stages.
        """
        *taps, dense = features
        if self.normalize_dense:
            dense = F.normalize(dense, dim=1)
        text = (text if text.ndim == 2 else text.mean(dim=1)).float()
        scale = self._scale(dense, text)
        scaled = scale[..., None] * text
        fused, queries = self._fuse(
            self._middle(taps[-1], dense), self._guidance(dense, text, scale), scaled
        )
        products = self.correlate_query(queries), self.correlate_map(fused)
        cost = None if self.embed is None else self._cost(dense, text, scale)
        maps = self._maps(*products, cost, self.stage_guides(taps))
        return self.to_logits(maps, queries, text)

    def to_logits(self, maps: Tensor, queries: Tensor, text: Tensor) -> Tensor:
        """Logits of the classes from the maps of the queries: the same thing here.

        Args:
            maps: (B, T, s * h, s * w).
            queries: (B, T, C).
            text: (K, D) mean of each class's prompts.
        """
        return maps

    def _cost(self, dense: Tensor, text: Tensor, scale: Tensor) -> Tensor:
        """Cosines (B, K, 1, h, w)."""
        cost = cosine_volume(dense, F.normalize(text, dim=-1)[:, None])
        return cost * scale[..., None, None, None] if self.prior_in_cost else cost

    def _maps(
        self,
        queries: Tensor,
        fused: Tensor,
        cost: Tensor | None,
        guides: Sequence[Tensor],
    ) -> Tensor:
        """Correlate and decode, a few queries at a time, (B, T, s * h, s * w)."""
        if cost is None:
            return self.chunks.run(self._decode_products, queries, fused, guides)
        return self.chunks.run(
            self._decode_with_cost, cost, fused, guides, along=[queries]
        )

    def _scale(self, dense: Tensor, text: Tensor) -> Tensor:
        """s_n, (B, K)."""
        if self.prior is None:
            return text.new_ones(len(dense), len(text))
        return self.prior(dense, text)

    def _guidance(self, dense: Tensor, text: Tensor, scale: Tensor) -> Tensor:
        """G, (B, h, w, C)."""
        if self.regions is None:
            return self.project_dense(rearrange(dense, 'b d h w -> b h w d'))
        return self.regions(dense, text, scale)

    def _middle(self, tap: Tensor, dense: Tensor) -> Tensor:
        """F_mid, (B, h, w, C)."""
        if tap.shape[-2:] != dense.shape[-2:]:
            tap = F.adaptive_avg_pool2d(tap, dense.shape[-2:])
        return self.project_middle(rearrange(tap, 'b c h w -> b h w c'))

    def _fuse(
        self, middle: Tensor, guidance: Tensor, scaled: Tensor
    ) -> tuple[Tensor, Tensor]:
        """X_fused (B, h, w, C) and the queries (B, K, C)."""
        queries, guidance = self.text_query(scaled), guidance.to(middle.dtype)
        if self.fusion is None:
            return self.merge(torch.cat([middle, guidance], dim=-1)), queries
        return self.fusion(middle, guidance, queries, self.text_token(scaled))

    def _decode_products(
        self, queries: Tensor, fused: Tensor, guides: Sequence[Tensor]
    ) -> Tensor:
        return self.decode(_products(queries, fused), guides)

    def _decode_with_cost(
        self, cost: Tensor, queries: Tensor, fused: Tensor, guides: Sequence[Tensor]
    ) -> Tensor:
        return self.decode(_products(queries, fused) + self.embed_cost(cost), guides)


def _products(queries: Tensor, fused: Tensor) -> Tensor:
    """Per channel, (B, n, C) and (B, h, w, C) to (B, n, h, w, C)."""
    return queries[:, :, None, None] * fused[:, None]


def _on_unit_rows(embed_dim: int, dim: int) -> nn.Linear:
    """A linear layer that keeps the scale of unit rows, whose entries are small."""
    linear = nn.Linear(embed_dim, dim)
    nn.init.normal_(linear.weight)
    return linear
