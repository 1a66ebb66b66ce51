"""Local structure, global context and language in one map and one query per class.

Shape legend: B images, K classes, h x w tokens, C channels.
"""

from collections.abc import Mapping
from typing import Any

import torch
from torch import Tensor, nn

from openvocab.registry import MODELS

from .channel_adaptation import ChannelAdaptation
from .directional_attention import halves

Config = Mapping[str, Any]


class FusionLayer(nn.Module):
    """One layer of :class:`ContextualFusion`, whose arguments it shares."""

    def __init__(
        self, dim: int, local: Config | None, context: Config | None, queries: Config
    ) -> None:
        super().__init__()
        self.local = _build(local, dim)
        self.context = _build(context, dim)
        self.queries = _build(queries, dim)
        width = 2 * dim if self.local is None else self.local.out_dim
        if self.context is not None:
            width += dim
        self.merge = nn.Linear(width, dim)
        self.adapt = ChannelAdaptation(dim)

    def forward(
        self,
        middle: Tensor,
        guidance: Tensor,
        scanned: Tensor,
        queries: Tensor,
        text: Tensor,
    ) -> tuple[Tensor, Tensor]:
        """Fuse.

        Args:
            middle: (B, h, w, C) F_mid.
            guidance: (B, h, w, C) G.
            scanned: (B, h, w, C) what the global branch sees.
            queries: (B, K, C).
            text: (B, K, C) E_text.

        Returns:
            X_fused (B, h, w, C) and the queries (B, K, C).
        """
        fused = self.adapt(self.merge(self._branches(middle, guidance, scanned)))
        return fused, self.queries(queries, fused, text)

    def _branches(self, middle: Tensor, guidance: Tensor, scanned: Tensor) -> Tensor:
        """The argument of F_proj in Eq. (9)."""
        if self.local is None:
            parts = halves(middle, guidance)
        else:
            parts = [self.local(middle, guidance)]
        if self.context is not None:
            parts.append(self.context(scanned))
        return torch.cat(parts, dim=-1)


@MODELS.register_module()
class ContextualFusion(nn.Module):
    """Contextual cross-modal fusion.

    The paper's::

        X_local = [MHSA_h(F_h | G_h), MHSA_v(F_v | G_v)]                     Eq. (8)
        X_fused = F_proj([X_local | SS2D(G)])                                Eq. (9)
        queries read [X_fused | E_text]                                      Eq. (10)

    with F_proj a 1 x 1 convolution, followed by channel adaptation.

    Ours: at a depth of two or more the whole layer repeats. A later layer has X_fused
    in the place of F_mid, and in that of G in the global branch; the local branch
    keeps G. Without the local branch, its input (F_h | G_h, F_v | G_v) goes to F_proj
    as it is.

    Args:
        dim: C.
        depth: Number of layers.
        local: Config of the local branch, a :class:`DirectionalAttention`; None removes
            it ("DA" of Table 3).
        context: Config of the global branch, an :class:`SS2D`; None removes it ("GC").
        queries: Config of the :class:`LanguageQueries` ("LQ").
        keep_guidance: The global branch of later layers sees G too, as Eq. (9) prints.

    Source: LoGoSeg (AAAI 2026), section 2.3, Eqs. (8) to (10), Table 3.
    """

    def __init__(
        self,
        dim: int,
        depth: int = 2,
        local: Config | None = dict(type='openvocab.DirectionalAttention'),  # noqa: B006
        context: Config | None = dict(type='openvocab.SS2D'),  # noqa: B006
        queries: Config = dict(type='openvocab.LanguageQueries'),  # noqa: B006
        keep_guidance: bool = False,
    ) -> None:
        super().__init__()
        if depth < 1:
            raise ValueError(
                f'depth={depth}: a fusion has a layer at least; fusion=None removes it'
            )
        self.keep_guidance = keep_guidance
        self.layers = nn.ModuleList(
            FusionLayer(dim, local, context, queries) for _ in range(depth)
        )

    def forward(
        self, middle: Tensor, guidance: Tensor, queries: Tensor, text: Tensor
    ) -> tuple[Tensor, Tensor]:
        """Fuse; what :class:`FusionLayer` takes and returns."""
        fused, scanned = middle, guidance
        for layer in self.layers:
            fused, queries = layer(fused, guidance, scanned, queries, text)
            scanned = guidance if self.keep_guidance else fused
        return fused, queries


def _build(config: Config | None, dim: int) -> nn.Module | None:
    return None if config is None else MODELS.build({**config, 'dim': dim})
