"""How likely each class is in an image at all.

Shape legend: B images, K classes, D width of the joint space, h x w tokens.
"""

import math

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from openvocab.registry import MODELS


@MODELS.register_module()
class ObjectPrior(nn.Module):
    """Scales of the classes, from the similarity of the whole image with their text.

    The paper's::

        p_n   = mean over i, j of cos(V_ij, mean_p T_np)                     Eq. (1)
        hat T = (1 / P) sum_p p_n T_np = p_n mean_p T_np                     Eq. (2)

    Ours, where the paper only says that the prior is "lambda-scaled": text is scaled by
    ``s_n = (1 - lambda) + lambda p_n``, which is 1 without a prior (lambda = 0) and
    Eq. (2) as printed at lambda = 1.

    Args:
        weight: lambda, in [0, 1]; where it is learned, what it begins with, in (0, 1).
        learn_weight: Learn one lambda, as the sigmoid of a scalar ("Adapt." of
            Table 4).
        stretch: Not in the paper: stretch p over the classes of each image to [0, 1]
            first. Raw cosines of CLIP lie between 0.1 and 0.3 for every class. Makes
            the scores of a class depend on which others are asked for.

    Source: LoGoSeg (AAAI 2026), section 2.2, Eqs. (1) and (2).
    """

    def __init__(
        self, weight: float = 1.0, learn_weight: bool = False, stretch: bool = False
    ) -> None:
        super().__init__()
        if not 0 <= weight <= 1 or (learn_weight and weight in (0, 1)):
            bounds = '(0, 1)' if learn_weight else '[0, 1]'
            raise ValueError(f'weight={weight} must lie in {bounds}')
        self.stretch = stretch
        self.fixed, self.weight_logit = weight, None
        if learn_weight:
            logit = math.log(weight / (1 - weight))
            self.weight_logit = nn.Parameter(torch.tensor(logit))

    @property
    def weight(self) -> float | Tensor:
        """Lambda."""
        if self.weight_logit is None:
            return self.fixed
        return self.weight_logit.sigmoid()

    def prior(self, dense: Tensor, text: Tensor) -> Tensor:
        """Eq. (1).

        Args:
            dense: (B, D, h, w), any length.
            text: (K, D) mean of each class's prompts, any length.

        Returns:
            (B, K) float32 in [-1, 1].
        """
        with torch.autocast(dense.device.type, enabled=False):
            mean = F.normalize(dense.float(), dim=1).mean(dim=(2, 3))
            return mean @ F.normalize(text.float(), dim=-1).T

    def forward(self, dense: Tensor, text: Tensor) -> Tensor:
        """Compute s_n from what :meth:`prior` takes, (B, K) float32."""
        prior = self.prior(dense, text)
        if self.stretch:
            low, high = prior.aminmax(dim=1, keepdim=True)
            prior = torch.where(
                high > low, (prior - low) / (high - low).clamp(min=1e-6), 1.0
            )
        return (1 - self.weight) + self.weight * prior
