"""Binary cross-entropy of every pixel with every class."""

import torch
import torch.nn.functional as F
from mmengine.model import BaseModule
from torch import Tensor
from torch.utils.checkpoint import checkpoint

from openvocab.registry import MODELS

from .global_count import mean_count_per_rank

IGNORED = -1
"""Label of pixels without a class."""
HELD_OUT = -2
"""Label of pixels whose class is not trained: no loss may look at them."""


@MODELS.register_module()
class OVBCELoss(BaseModule):
    """Mean binary cross-entropy over pixels and classes.

    The value of the textbook form on one-hot targets, without the targets:
    ``sum_k BCE(x_k, [k == y]) = sum_k softplus(x_k) - x_y``.

    Pixels whose class is held out are left out of sum and count. The count is that of
    all ranks, so that the loss does not depend on how a batch is split over them.

    Args:
        ignored_as_negative: A pixel without a class is a negative of every class, as in
            CAT-Seg's code. False leaves such pixels out, too, as in LoGoSeg (Eq. 13).
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
            labels: (B, H, W) int64 below K, :data:`IGNORED` or :data:`HELD_OUT`.

        Returns:
            Scalar float32; 0 where no pixel counts.

        Raises:
            ValueError: A label is none of these. On a GPU, where looking would stop the
                host, the device fails on it instead.
        """
        count = logits.shape[1]
        _check_labels(labels, count)
        lowest = IGNORED if self.ignored_as_negative else 0
        pixels = mean_count_per_rank((labels >= lowest).sum())
        chunk = self.class_chunk or count
        total = 0.0
        for start in range(0, count, chunk):
            inputs = logits[:, start : start + chunk], labels, start, lowest
            if chunk < count and torch.is_grad_enabled():
                total = total + checkpoint(self._sum, *inputs, use_reentrant=False)
            else:
                total = total + self._sum(*inputs)
        return self.loss_weight * total / (pixels * (1 if self.sum_classes else count))

    @staticmethod
    def _sum(logits: Tensor, labels: Tensor, start: int, lowest: int) -> Tensor:
        """Sum over some classes, from ``start`` on, and the pixels that count.

        Pixels count whose label is at least ``lowest``.
        """
        size = labels.shape[-2:]
        logits = logits.float()
        if logits.shape[-2:] != size:
            logits = F.interpolate(logits, size, mode='bilinear', align_corners=False)
        inside = (labels >= start) & (labels < start + logits.shape[1])
        own = (labels - start).where(inside, 0)[:, None]
        right = (logits.gather(1, own)[:, 0] * inside).sum()
        # in place: no second tensor of this size
        left_out = (labels < lowest)[:, None]
        negatives = F.softplus(logits).masked_fill_(left_out, 0)
        return negatives.sum() - right


def _check_labels(labels: Tensor, count: int) -> None:
    known = (labels >= HELD_OUT) & (labels < count)
    if labels.is_cuda:
        torch._assert_async(known.all())
    elif labels.device.type == 'cpu' and not known.all():
        raise ValueError(
            f'label {labels[~known][0].item()} is none of the {count} classes that are '
            'trained'
        )
