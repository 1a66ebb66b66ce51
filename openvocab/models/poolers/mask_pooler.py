"""Region embeddings from masks.

Shapes: B images, D channels, (h, w) tokens, (H, W) pixels, N_i masks of image i,
N = sum of N_i.
"""

from collections.abc import Sequence

import torch
from einops import rearrange
from torch import Tensor, nn
from torch.nn.utils.rnn import pad_sequence

from openvocab.registry import MODELS


@MODELS.register_module()
class MaskPooler(nn.Module):
    """Mean of the dense features over each mask, for a whole batch at once."""

    def forward(self, features: Tensor, masks: Sequence[Tensor]) -> Tensor:
        """Pools every mask of every image.

        Masks may overlap. An empty mask yields a zero vector.

        Args:
            features: (B, D, h, w).
            masks: B tensors (N_i, h, w), boolean or weights >= 0; N_i may be 0.

        Returns:
            (N, D), image after image.

        Raises:
            ValueError: If the batch or the token grid differs.
        """
        grid = features.shape[-2:]
        if len(masks) != len(features) or any(m.shape[-2:] != grid for m in masks):
            raise ValueError(
                f'MaskPooler got masks {[tuple(m.shape) for m in masks]} for features '
                f'{tuple(features.shape)}; expected one (N, h, w) tensor per image'
            )
        # b: image, n: region (padded to the longest list), t: token, d: channel
        weights = pad_sequence(
            [mask.flatten(1).to(features.dtype) for mask in masks], batch_first=True
        )
        tokens = rearrange(features, 'b d h w -> b (h w) d')
        area = weights.sum(-1, keepdim=True)
        pooled = (weights @ tokens) / area.where(area > 0, torch.ones_like(area))
        return torch.cat(
            [rows[: len(mask)] for rows, mask in zip(pooled, masks, strict=True)]
        )


def segment_map_to_token_masks(
    segment_map: Tensor, num_segments: int, grid: tuple[int, int]
) -> Tensor:
    """Token masks of the segments of one image.

    A token belongs to a segment as soon as one of its pixels does, so that small
    segments keep at least one token and neighbours may share one (protocol of
    CLIPSelf: coverage ``> 0``). One scatter; never (N, H, W) in memory.

    Args:
        segment_map: (H, W) integers; ``i + 1`` marks segment ``i``, 0 marks none.
        num_segments: N.
        grid: (h, w); (H, W) need not be a multiple.

    Returns:
        (N, h, w) bool. A segment without pixels has an empty mask.
    """
    h, w = grid
    height, width = segment_map.shape
    device = segment_map.device
    rows = torch.arange(height, device=device) * h // height
    columns = torch.arange(width, device=device) * w // width
    tokens = rows[:, None] * w + columns
    cells = segment_map.long() * (h * w) + tokens
    masks = torch.zeros((num_segments + 1) * h * w, dtype=torch.bool, device=device)
    masks.index_fill_(0, cells.flatten(), True)
    return masks.view(num_segments + 1, h, w)[1:]
