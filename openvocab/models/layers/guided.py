"""Layers on [features | guidance] that never build the concatenation.

A linear map of a concatenation is the sum of two linear maps. Where many feature maps
share one guidance (one image, hundreds of classes), its half is computed once and added
to all. Weights, and state dicts, are those of the plain layer on the concatenation.
"""

import torch.nn.functional as F
from torch import Tensor, nn


class GuidedLinear(nn.Linear):
    """``nn.Linear`` on [features | guidance], in two halves.

    Args:
        dim: Channels of the features.
        guide_dim: Channels of the guidance.
        out_dim: Channels of the sum of both halves.
    """

    def __init__(self, dim: int, guide_dim: int, out_dim: int) -> None:
        super().__init__(dim + guide_dim, out_dim)
        self.dim = dim

    def guide(self, guidance: Tensor) -> Tensor:
        """The half of the guidance, (.., guide_dim) to (.., out_dim)."""
        return F.linear(guidance, self.weight[:, self.dim :])

    def forward(self, features: Tensor, guide: Tensor) -> Tensor:
        """Add up.

        Args:
            features: (.., dim).
            guide: What :meth:`guide` returned; broadcast over the features.

        Returns:
            (.., out_dim).
        """
        return F.linear(features, self.weight[:, : self.dim], self.bias) + guide


class GuidedConv(nn.Conv2d):
    """3 x 3 ``nn.Conv2d`` without bias on [features | guidance], in two halves.

    Args:
        dim: Channels of the features.
        guide_dim: Channels of the guidance.
        out_dim: Channels of the sum of both halves.
    """

    def __init__(self, dim: int, guide_dim: int, out_dim: int) -> None:
        super().__init__(dim + guide_dim, out_dim, 3, padding=1, bias=False)
        self.dim = dim

    def guide(self, guidance: Tensor) -> Tensor:
        """The half of the guidance, (B, guide_dim, H, W) to (B, out_dim, H, W)."""
        return F.conv2d(guidance, self.weight[:, self.dim :], padding=1)

    def forward(self, features: Tensor, guide: Tensor) -> Tensor:
        """Add up.

        Args:
            features: (B * n, dim, H, W), the n maps of an image in a row.
            guide: (B, out_dim, H, W), what :meth:`guide` returned.

        Returns:
            (B * n, out_dim, H, W).
        """
        out = F.conv2d(features, self.weight[:, : self.dim], padding=1)
        return (out.unflatten(0, (len(guide), -1)) + guide[:, None]).flatten(0, 1)
