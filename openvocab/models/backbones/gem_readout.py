"""A readout that first clusters q, k and v by themselves."""

from typing import Any

import torch.nn.functional as F
from torch import Tensor

from openvocab.registry import MODELS

from .dense_attention import AttentionReadout, Comparison, LastBlock


@MODELS.register_module()
class GEMReadout(AttentionReadout):
    """Self-self attention of q, k and v, each iterated towards its clusters.

    ::

        p <- p / |p|;   p <- softmax(t p p^T) p      iterations times, for p in q, k, v
        context = 1/3 sum_p softmax(t p p^T) v,      p / |p| again
        t = attn_scale * mean over tokens of |norm(x)|, an image's own temperature

    Args:
        iterations: Steps towards the clusters.
        residual: Keep the residual around the attention.
        attn_scale: None is the model's 1 / sqrt(D).
        rope: Rotate q and k where the model does.

    Source: Bousselham et al., "Grounding Everything: Emerging Localization Properties
    in Vision-Language Transformers" (GEM), CVPR 2024, and public code. The method reads
    several blocks this way, see :class:`GEM`.
    """

    def __init__(
        self,
        iterations: int = 1,
        residual: bool = True,
        attn_scale: float | None = None,
        rope: bool = False,
    ) -> None:
        super().__init__(residual, False, attn_scale, rope)
        self.iterations = iterations

    def comparisons(self, block: LastBlock, tokens: Tensor) -> list[Comparison]:
        """Clustered queries, keys and values, each with itself."""
        projected = (
            block.queries(tokens, self.rope),
            block.keys(tokens, self.rope),
            block.values(tokens),
        )
        scale = self.attn_scale
        if scale is None:
            scale = projected[0].shape[-1] ** -0.5
        norms = block.normed(tokens).norm(dim=-1).mean(dim=1)
        temperature = scale * norms[:, None, None, None]
        return [self._cluster(each, temperature) for each in projected]

    def attend(self, block: LastBlock, tokens: Tensor) -> Tensor:
        """Context of every token before heads are merged, (B, H, N, D)."""
        return super().attend(block, tokens) / 3

    def weights(self, block: LastBlock, tokens: Tensor) -> Tensor:
        """Attention (B, H, N, N); rows sum to one."""
        return super().weights(block, tokens) / 3

    def record(self) -> dict[str, Any]:
        """Describe the readout, JSON-serialisable; equal records mean equal maps."""
        return dict(super().record(), iterations=self.iterations)

    def _cluster(self, projected: Tensor, temperature: Tensor) -> Comparison:
        for step in range(self.iterations + 1):
            unit = F.normalize(projected, dim=-1)
            compared = Comparison(unit * temperature, unit, scale=1.0)
            if step < self.iterations:
                projected = compared.mix(unit)
        return compared
