"""Feature distillation by cosine similarity (CLIPSelf, Eqn. 1)."""

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from openvocab.registry import MODELS

from .global_count import mean_count_per_rank


@MODELS.register_module()
class CosineDistillLoss(nn.Module):
    """Mean of ``1 - cos(student, teacher)`` over the valid regions of all ranks.

    Args:
        loss_weight: Factor of the loss.
    """

    def __init__(self, loss_weight: float = 1.0) -> None:
        super().__init__()
        self.loss_weight = loss_weight

    def forward(
        self, student: Tensor, teacher: Tensor, valid: Tensor | None = None
    ) -> dict[str, Tensor]:
        """Computes the loss in float32, also inside autocast.

        Args:
            student: (N, D) region features, any length.
            teacher: (N, D) targets; receives no gradient.
            valid: (N,) bool; regions that take part. None: all.

        Returns:
            ``loss_distill``; an exact, differentiable zero if nothing is valid.

        Raises:
            ValueError: If the two widths differ.
        """
        if student.shape != teacher.shape:
            raise ValueError(
                f'student features {tuple(student.shape)} and teacher features '
                f'{tuple(teacher.shape)} differ; CLIPSelf needs the same joint space'
            )
        with torch.autocast(student.device.type, enabled=False):
            if student.dtype != torch.float64:
                student = student.float()
            distance = 1 - F.cosine_similarity(student, teacher.detach().to(student))
            if valid is not None:
                distance = distance.where(valid, 0.0)
            count = distance.new_full((), float(len(distance)))
            count = count if valid is None else valid.to(distance).sum()
            loss = distance.sum() / mean_count_per_rank(count) * self.loss_weight
        return dict(loss_distill=loss)
