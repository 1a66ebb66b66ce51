"""The head that has nothing to learn."""

from collections.abc import Sequence
from typing import Any

import torch.nn.functional as F
from einops import einsum
from mmengine.model import BaseModule
from torch import Tensor

from openvocab.registry import MODELS


@MODELS.register_module()
class CosineHead(BaseModule):
    """Cosine similarity of every token of the dense map to every text row.

    Cosines are averaged over windows as they are; what a class makes of them is for
    :class:`~openvocab.models.segmentors.TrainingFreeSegmentor` to say.

    Args:
        in_channels: Of the backbone's maps; the head takes any.
        strides: Likewise.
    """

    def __init__(
        self,
        in_channels: Sequence[int] | None = None,
        strides: Sequence[int] | None = None,
    ) -> None:
        super().__init__()

    def forward(self, features: Sequence[Tensor], text: Tensor) -> Tensor:
        """Compares.

        Args:
            features: Maps of the backbone, the dense one (B, D, h, w) last.
            text: (Q, D) unit rows.

        Returns:
            (B, Q, h, w) float32, within -1 .. 1.
        """
        dense = F.normalize(features[-1].float(), dim=1)
        return einsum(dense, text.float(), 'b d h w, q d -> b q h w')

    def activate(self, logits: Tensor) -> Tensor:
        """Leaves cosines as they are."""
        return logits

    def loss(self, *args: Any, **kwargs: Any) -> dict[str, Tensor]:
        """Not available: there are no parameters."""
        raise NotImplementedError('CosineHead has nothing to train; use tools/test.py')
