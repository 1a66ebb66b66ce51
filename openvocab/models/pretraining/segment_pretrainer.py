"""A small VFM trained from scratch on which pixels belong to one segment.

It exists to make the tiny VFM of OV-Shapes; real VFMs come with their weights.

Shapes: B images, N tokens, S segments of the image that has most, C channels.
"""

import torch
from einops import rearrange, reduce
from mmengine.model import BaseModel
from torch import Tensor
from torch.nn import functional as F

from openvocab.structures import RegionDataSample

from ...registry import MODELS
from ..recognizers.image_preprocessor import preprocessor_config


@MODELS.register_module()
class SegmentPretrainer(BaseModel):
    """Tokens of one segment become similar, tokens of different segments do not.

    Masks are all it sees: no class name, and no pair from two images. So it is to its
    world what SAM is to photographs. The target of two tokens is the probability that a
    pixel of the one and a pixel of the other lie in one segment; the prediction is a
    sigmoid of their cosine, and the loss its binary cross-entropy over all pairs.

    Args:
        vfm: Config of a ``VFMTeacher``; it is built with ``frozen=False``.
        scale: Steepness of the sigmoid.
        threshold: Cosine at which two tokens are as likely of one segment as not.
        data_preprocessor: By default the normalisation of the VFM, for BGR images.
    """

    def __init__(
        self,
        vfm: dict,
        scale: float = 10.0,
        threshold: float = 0.5,
        data_preprocessor: dict | None = None,
    ) -> None:
        vfm = MODELS.build(dict(vfm, frozen=False))
        super().__init__(data_preprocessor or preprocessor_config(vfm.mean, vfm.std))
        self.vfm = vfm
        self.scale = scale
        self.threshold = threshold

    def forward(
        self,
        inputs: Tensor,
        data_samples: list[RegionDataSample] | None = None,
        mode: str = 'loss',
    ) -> dict[str, Tensor]:
        """Computes the loss.

        Args:
            inputs: (B, 3, H, W) normalised images, sides multiples of the patch.
            data_samples: One per image, with ``segment_map`` (H, W).
            mode: Only ``'loss'``; what comes out is used as a teacher.

        Returns:
            ``loss_segment``, and for the log ``pair_accuracy``, the share of pairs that
            are on the right side of the threshold.

        Raises:
            ValueError: For any other mode.
        """
        if mode != 'loss' or data_samples is None:
            raise ValueError(
                f'SegmentPretrainer has no mode {mode!r}; use its VFM as a teacher'
            )
        tokens = rearrange(self.vfm.encode(inputs), 'b c h w -> b (h w) c')
        tokens = F.normalize(tokens.float(), dim=-1)
        segments = torch.stack([sample.segment_map for sample in data_samples])
        shares = token_shares(segments, self.vfm.patch_size)
        target = (shares @ shares.mT).clamp(max=1)
        logits = self.scale * (tokens @ tokens.mT - self.threshold)
        right = (logits > 0) == (target > 0.5)
        return dict(
            loss_segment=F.binary_cross_entropy_with_logits(logits, target),
            pair_accuracy=right.float().mean(),
        )


def token_shares(segments: Tensor, patch_size: int) -> Tensor:
    """How much of every token each segment covers.

    Args:
        segments: (B, H, W) integers; ``i + 1`` marks segment ``i``, 0 marks none.
        patch_size: Pixels per token and side; divides H and W.

    Returns:
        (B, N, S) float32; rows sum to 1, less the share that is marked by none.
    """
    one_hot = F.one_hot(segments.long())[..., 1:].float()
    return reduce(
        one_hot,
        'b (h p) (w q) s -> b (h w) s',
        'mean',
        p=patch_size,
        q=patch_size,
    )
