"""A readout whose attention comes from another model's features.

Shapes: B images, h x w the grid of CLIP, h' x w' the grid of the guide,
M = h' * w' places, H heads of D channels, C channels of the guide.
"""

from typing import Any

import torch
import torch.nn.functional as F
from einops import einsum, rearrange
from torch import Tensor

from openvocab.registry import MODELS

from .dense_attention import DenseReadout, LastBlock


class GuidedBlock:
    """A view of the last block with features that say which places belong together.

    Args:
        block: The view, see :class:`LastBlock`.
        guide: (B, C, h', w').
    """

    def __init__(self, block: LastBlock, guide: Tensor) -> None:
        self.block = block
        self.guide = guide

    def __getattr__(self, name: str) -> Any:
        return getattr(self.block, name)


@MODELS.register_module()
class ProxyReadout(DenseReadout):
    """Values mixed by the similarity of a vision foundation model's features.

    ::

        S = cosines of all places of the guide
        A = softmax over j of  scale * (S_ij - shift * mean(S)),  where that is positive
        context_i = sum_j A_ij v_j

    All heads share A; the values (B, H, h * w, D) of CLIP's patch tokens are resized to
    the guide's grid bilinearly, and the output lies on that grid. There is neither
    class token nor residual nor FFN. The mean is one image's; the public code takes a
    batch's, which is one window there. A place that resembles none, itself included,
    keeps its own value.

    It needs a :class:`GuidedBlock`, which :class:`ProxyCLIP` provides.

    Args:
        shift: What counts as similar, in means.
        scale: Sharpness of the softmax.

    Source: Lan et al., "ProxyCLIP: Proxy Attention Improves CLIP for Open-Vocabulary
    Segmentation", ECCV 2024: beta = 1.2 and gamma = 3 of its adaptive normalisation.
    """

    uses = frozenset('v')

    def __init__(self, shift: float = 1.2, scale: float = 3.0) -> None:
        super().__init__(residual=False, ffn=False)
        self.shift = shift
        self.scale = scale

    def attend(self, block: LastBlock, tokens: Tensor) -> Tensor:
        """Context of every place of the guide, (B, H, M, D)."""
        values = block.values(tokens)[:, :, block.num_prefix_tokens :]
        heads = values.shape[1]
        height, width = block.grid
        maps = rearrange(values, 'b n (h w) d -> b (n d) h w', h=height, w=width)
        grid = _guide(block).shape[-2:]
        maps = F.interpolate(maps, grid, mode='bilinear', align_corners=False)
        values = rearrange(maps, 'b (n d) h w -> b n (h w) d', n=heads)
        weights = self.weights(block, tokens)[:, 0].to(values.dtype)
        return einsum(weights, values, 'b i j, b n j d -> b n i d')

    def weights(self, block: LastBlock, tokens: Tensor) -> Tensor:
        """Attention between the places of the guide, (B, 1, M, M)."""
        features = F.normalize(_guide(block).float().flatten(2), dim=1)
        similarity = features.mT @ features
        mean = similarity.mean(dim=(1, 2), keepdim=True)
        logits = self.scale * (similarity - self.shift * mean)
        own = torch.eye(logits.shape[-1], dtype=torch.bool, device=logits.device)
        logits = logits.masked_fill((logits < 0) & ~own, -torch.inf)
        return logits.softmax(dim=-1)[:, None]

    def record(self) -> dict[str, Any]:
        """Describe the readout, JSON-serialisable; equal records mean equal maps."""
        return dict(super().record(), shift=self.shift, scale=self.scale)


def _guide(block: LastBlock) -> Tensor:
    guide = getattr(block, 'guide', None)
    if guide is None:
        raise TypeError(
            'ProxyReadout needs the features of a vision foundation model; use '
            "backbone=dict(type='openvocab.ProxyCLIP', vfm=...)"
        )
    return guide
