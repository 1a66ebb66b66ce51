"""Readouts in which tokens attend to tokens that resemble them."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import torch
from torch import Tensor

from openvocab.registry import MODELS

from .dense_attention import AttentionReadout, Comparison, LastBlock


@MODELS.register_module()
class SelfSelfReadout(AttentionReadout):
    """Attention of a projection with itself: ``sum over p of softmax(p p^T s) v``.

    ``('q',)`` is q-q attention, ``('k',)`` k-k, ``('v',)`` v-v, and ``('q', 'k')`` the
    correlative self-attention (CSA) of SCLIP, whose rows sum to two. Class token and
    patches attend to each other as they do in the trained block.

    Args:
        projections: Which of q, k, v are compared with themselves.
        residual: Keep the residual around the attention.
        ffn: Keep the FFN.
        attn_scale: s; None is the model's 1 / sqrt(D).
        rope: Rotate q and k where the model does.

    Source: SCLIP (ECCV 2024), eq. 4; ClearCLIP (ECCV 2024) for leaving out residual and
    FFN; DeCLIP (CVPR 2025), eq. 6, and its public code for leaving out the rotation.
    """

    def __init__(
        self,
        projections: Sequence[str] = ('q', 'k'),
        residual: bool = False,
        ffn: bool = False,
        attn_scale: float | None = None,
        rope: bool = False,
    ) -> None:
        super().__init__(residual, ffn, attn_scale, rope)
        self.projections = tuple(projections)
        unknown = set(self.projections) - set('qkv')
        if unknown or not self.projections:
            raise ValueError(f'projections={self.projections}: choose from q, k and v')
        self.uses = frozenset({*self.projections, 'v'})
        self._captured: list[Tensor] | None = None

    @contextmanager
    def capture(self) -> Iterator[list[Tensor]]:
        """Give out what is compared, so that a loss on it computes nothing twice.

        Yields:
            A list that every forward pass within the block fills anew: one tensor
            (B, H, h * w, D) per projection, patch tokens only, with its gradient.
        """
        self._captured = captured = []
        try:
            yield captured
        finally:
            self._captured = None

    def project(self, block: LastBlock, tokens: Tensor) -> list[Tensor]:
        """The chosen projections, each (B, H, N, D)."""
        project = dict(
            q=lambda: block.queries(tokens, self.rope),
            k=lambda: block.keys(tokens, self.rope),
            v=lambda: block.values(tokens),
        )
        projected = [project[letter]() for letter in self.projections]
        if self._captured is not None:
            self._captured[:] = [p[:, :, block.num_prefix_tokens :] for p in projected]
        return projected

    def comparisons(self, block: LastBlock, tokens: Tensor) -> list[Comparison]:
        """Every projection with itself."""
        projected = self.project(block, tokens)
        return [Comparison(each, each, self.attn_scale) for each in projected]

    def record(self) -> dict[str, Any]:
        """Describe the readout, JSON-serialisable; equal records mean equal maps."""
        # The name of the family: presets of it compute the same.
        record = dict(super().record(), type=SelfSelfReadout.__name__)
        return dict(record, projections=list(self.projections))


@MODELS.register_module()
class JointSelfReadout(SelfSelfReadout):
    """One softmax over the mean of self-products: ``softmax(mean_p(p p^T) s) v``.

    With all three, a token attends to tokens whose query, key and value resemble its
    own at once.

    Args:
        projections: Which of q, k, v are compared with themselves.
        **kwargs: The other arguments of :class:`SelfSelfReadout`.

    Source: public code of DeCLIP (CVPR 2025), where it is called ``all``.
    """

    def __init__(
        self, projections: Sequence[str] = ('q', 'k', 'v'), **kwargs: Any
    ) -> None:
        super().__init__(projections, **kwargs)

    def comparisons(self, block: LastBlock, tokens: Tensor) -> list[Comparison]:
        """The projections side by side, whose product is the sum of self-products."""
        projected = self.project(block, tokens)
        scale = self.attn_scale
        if scale is None:
            scale = projected[0].shape[-1] ** -0.5
        joint = torch.cat(projected, dim=-1)
        return [Comparison(joint, joint, scale / len(projected))]

    def record(self) -> dict[str, Any]:
        """Describe the readout, JSON-serialisable; equal records mean equal maps."""
        return dict(super().record(), type=JointSelfReadout.__name__)
