"""Regions described by what they look like and by the classes they resemble.

Shape legend: B images, K classes, R regions, D width of the joint space, h x w tokens,
C channels of the guidance.
"""

import math

import torch
import torch.nn.functional as F
from einops import rearrange
from torch import Tensor, nn

from openvocab.registry import MODELS

from .region_grid import RegionGrid

_MAX_LOG_SHARPNESS = math.log(100)


@MODELS.register_module()
class RegionAlignment(nn.Module):
    """Region-aware guidance G.

    The paper's, with v_k the mean of the dense map V in region k and hat T_n the text
    of class n after the object prior::

        A_kn       = cos(v_k, hat T_n)                                       Eq. (3)
        w_kn       = softmax over k of tau A_kn                              Eq. (4)
        m_n        = sum_k w_kn v_k                                          Eq. (5)
        g_region_n = W_t [m_n | hat T_n] + b_t                               Eq. (6)
        text_k     = W_g sum_n softmax over n of (beta A_kn) g_region_n      Eq. (7)
        alpha_k    = e^|image_k| / (e^|image_k| + e^|text_k|)
        G_ij       = alpha_k image_k + (1 - alpha_k) text_k, (i, j) in region k

    and image_k the sum of the region's tokens under weights of a two-layer MLP.

    Ours:

    - A cosine does not see the scale of hat T_n = s_n mean T_n, so that as printed the
      prior would drop out of Eqs. (3) to (5). ``prior_in_similarity`` divides by the
      length of mean T_n instead: A_kn = s_n cos(v_k, mean T_n).
    - tau and beta are learned, in log scale and at most 100; they begin with CLIP's
      initial and final temperature.
    - One MLP serves all regions, D -> C -> 1, with a softmax inside each region, to
      which a bias of the second layer would mean nothing; a linear
      layer brings the sum to C channels.
    - alpha_k is computed as sigmoid(|image_k| - |text_k|): the same value, no overflow.
    - Everything here is float32: regions are few.

    Args:
        embed_dim: D.
        dim: C.
        regions: r of the r x r regions, see :class:`RegionGrid`.
        prior_in_similarity: False keeps Eq. (3) as printed.
        region_sharpness: tau to begin with.
        class_sharpness: beta to begin with.

    Source: LoGoSeg (AAAI 2026), section 2.2, Eqs. (3) to (7).
    """

    def __init__(
        self,
        embed_dim: int,
        dim: int,
        regions: int = 6,
        prior_in_similarity: bool = True,
        region_sharpness: float = 1 / 0.07,
        class_sharpness: float = 100.0,
    ) -> None:
        super().__init__()
        self.regions = regions
        self.prior_in_similarity = prior_in_similarity
        self.region_log = nn.Parameter(torch.tensor(math.log(region_sharpness)))
        self.class_log = nn.Parameter(torch.tensor(math.log(class_sharpness)))
        self.describe_class = nn.Linear(2 * embed_dim, dim)
        self.project_text = nn.Linear(dim, dim, bias=False)
        self.weigh = nn.Sequential(
            nn.Linear(embed_dim, dim), nn.GELU(), nn.Linear(dim, 1, bias=False)
        )
        self.project_image = nn.Linear(embed_dim, dim)

    def forward(self, dense: Tensor, text: Tensor, scale: Tensor) -> Tensor:
        """Compute the guidance.

        Args:
            dense: (B, D, h, w), V, not normalised.
            text: (K, D) mean of each class's prompts.
            scale: (B, K) s_n of :class:`ObjectPrior`, or ones.

        Returns:
            (B, h, w, C) float32.
        """
        grid = RegionGrid(tuple(dense.shape[-2:]), self.regions)
        with torch.autocast(dense.device.type, enabled=False):
            tokens = rearrange(dense.float(), 'b d h w -> b (h w) d')
            pooled = grid.mean(tokens)
            scaled = scale[..., None] * text.float()
            alike = self.similarity(pooled, text.float(), scale)
            image = self.image_guidance(tokens, grid)
            described = self.class_guidance(pooled, alike, scaled)
            return grid.spread(self.merge(image, self.text_guidance(alike, described)))

    def similarity(self, pooled: Tensor, text: Tensor, scale: Tensor) -> Tensor:
        """Eq. (3), A (B, R, K)."""
        return scaled_cosine(pooled, text, scale, self.prior_in_similarity)

    def class_guidance(self, pooled: Tensor, alike: Tensor, scaled: Tensor) -> Tensor:
        """Eqs. (4) to (6), g_region (B, K, C); ``scaled`` is hat T (B, K, D)."""
        weights = (_sharpness(self.region_log) * alike).softmax(dim=1)
        prototypes = torch.einsum('brk,brd->bkd', weights, pooled)
        return self.describe_class(torch.cat([prototypes, scaled], dim=-1))

    def image_guidance(self, tokens: Tensor, grid: RegionGrid) -> Tensor:
        """What regions look like, (B, R, C)."""
        weights = grid.softmax(self.weigh(tokens)[..., 0])
        return self.project_image(weights @ tokens)

    def text_guidance(self, alike: Tensor, described: Tensor) -> Tensor:
        """Third line of Eq. (7), (B, R, C)."""
        weights = (_sharpness(self.class_log) * alike).softmax(dim=2)
        return self.project_text(weights @ described)

    @staticmethod
    def merge(image: Tensor, text: Tensor) -> Tensor:
        """First and second line of Eq. (7), (B, R, C)."""
        alpha = torch.sigmoid(_length(image) - _length(text))
        return alpha * image + (1 - alpha) * text


def scaled_cosine(
    vectors: Tensor, text: Tensor, scale: Tensor, keep_scale: bool
) -> Tensor:
    """Similarity of vectors with scaled text.

    Args:
        vectors: (B, n, D).
        text: (K, D).
        scale: (B, K).
        keep_scale: True for scale * cos(vector, text); False for the cosine with the
            scaled text, of which only the sign of the scale remains.

    Returns:
        (B, n, K).
    """
    cosine = F.normalize(vectors, dim=-1) @ F.normalize(text, dim=-1).T
    return cosine * (scale if keep_scale else scale.sign())[:, None]


def _sharpness(log: Tensor) -> Tensor:
    # The bound stops the value, not the gradient, which may lead back.
    return (log - (log - _MAX_LOG_SHARPNESS).relu().detach()).exp()


def _length(vectors: Tensor) -> Tensor:
    # With a gradient at zero.
    return (vectors.square().sum(dim=-1, keepdim=True) + 1e-12).sqrt()
