"""Binary cross-entropy of every pixel with every class."""

import torch
import torch.nn.functional as F
from mmengine.model import BaseModule
from torch import Tensor
from torch.utils.checkpoint import checkpoint

from openvocab.registry import MODELS

IGNORED = -1
"""Label of pixels without a class."""


@MODELS.register_module()
class OVBCELoss(BaseModule):
    """Mean binary cross-entropy over pixels and classes.

    The value of the textbook form on one-hot targets, without the targets:
    ``sum_k BCE(x_k, [k == y]) = sum_k softplus(x_k) - x_y``.

    Args:
        ignored_as_negative: A pixel without a class is a negative of every class, as in
            CAT-Seg's code. False leaves such pixels out of sum and count, as in LoGoSeg
            (Eq. 13).
        class_chunk: Resize and sum so many classes at a time and do it again in the
            backward pass: same value, memory for so many classes at full size instead
            of K.
        loss_weight: Factor on the loss.
        sum_classes: Mean over pixels of the sum over classes, as LoGoSeg's Eq. 13 is
            printed, instead of the mean over both.
    """

    def __init__(
        self,
        ignored_as_negative: bool = True,
        class_chunk: int | None = None,
        loss_weight: float = 1.0,
        sum_classes: bool = False,
    ) -> None:
        super().__init__()
        self.ignored_as_negative = ignored_as_negative
        self.class_chunk = class_chunk
        self.sum_classes = sum_classes
        self.loss_weight = loss_weight

    def forward(self, logits: Tensor, labels: Tensor) -> Tensor:
        """Compute the loss.

        Args:
            logits: (B, K, h, w); resized bilinearly to the labels, corners not aligned.
            labels: (B, H, W) int64 below K, or :data:`IGNORED`.

        Returns:
            Scalar float32; 0 where every pixel is ignored and those do not count.
        """
        count = logits.shape[1]
        if labels.is_cuda:
            # Fails on the device, without a wait, where a label is no class.
            torch._assert_async((labels < count).all())
        chunk = self.class_chunk or count
        total = 0.0
        for start in range(0, count, chunk):
            inputs = logits[:, start : start + chunk], labels, start
            if chunk < count and torch.is_grad_enabled():
                total = total + checkpoint(self._sum, *inputs, use_reentrant=False)
            else:
                total = total + self._sum(*inputs)
        if self.ignored_as_negative:
            pixels = labels.numel()
        else:
            pixels = (labels != IGNORED).sum().clamp(min=1)
        return self.loss_weight * total / (pixels * (1 if self.sum_classes else count))

    def _sum(self, logits: Tensor, labels: Tensor, start: int) -> Tensor:
        """Sum over pixels and some classes, the first of which is ``start``."""
        size = labels.shape[-2:]
        logits = logits.float()
        if logits.shape[-2:] != size:
            logits = F.interpolate(logits, size, mode='bilinear', align_corners=False)
        inside = (labels >= start) & (labels < start + logits.shape[1])
        own = (labels - start).where(inside, 0)[:, None]
        right = (logits.gather(1, own)[:, 0] * inside).sum()
        negatives = F.softplus(logits)
        if not self.ignored_as_negative:
            negatives = negatives * (labels != IGNORED)[:, None]
        return negatives.sum() - right
