"""Distillation of how tokens resemble each other (DeCLIP, section 3.2, Eqn. 8 and 9).

Shapes: B images, N tokens, P projections of the student, D_s and D_t channels.
"""

from collections.abc import Sequence

import torch
from torch import Tensor, nn
from torch.nn import functional as F
from torch.utils.checkpoint import checkpoint

from openvocab.registry import MODELS, TASK_UTILS

from ..building import build_module
from .correlation_distance import CorrelationDistance
from .global_count import mean_count_per_rank


@MODELS.register_module()
class ContextDistillLoss(nn.Module):
    """Brings the student's cosine self-correlation close to the teacher's.

    1. Tokens are scaled to unit length, heads merged; their products are one (N, N)
       matrix per image, for the student the mean over its projections (Q, K).
    2. Every row of the difference gets one distance.
    3. The loss is the mean over the rows of all images of all ranks.

    Nothing is centred or clamped and there is no temperature; the diagonal takes part
    but is 1 in both. All of it is float32, also inside autocast.

    Memory: at most ``chunk_entries`` entries of a (B, N, N) matrix exist at a time, in
    about three copies of four bytes (200 MB at the default). Where a batch needs more,
    rows are computed in chunks, and again in the backward pass, so that the peak does
    not depend on N; two images of 4,096 tokens are two chunks.

    Args:
        distance: A :class:`CorrelationDistance` or its config; published is the
            Euclidean length of the row.
        loss_weight: Lambda. The paper states 0.25, the public script 0.1.
        chunk_entries: Largest number of matrix entries to compute at a time.
    """

    def __init__(
        self,
        distance: dict | CorrelationDistance = dict(type='openvocab.RowNorm'),  # noqa: B006
        loss_weight: float = 0.25,
        chunk_entries: int = 2**24,
    ) -> None:
        super().__init__()
        if chunk_entries < 1:
            raise ValueError(f'chunk_entries must be at least 1, got {chunk_entries}')
        self.distance: CorrelationDistance = build_module(distance, TASK_UTILS)
        self.loss_weight = loss_weight
        self.chunk_entries = chunk_entries

    def forward(
        self, student: Sequence[Tensor], teacher: Tensor, valid: Tensor | None = None
    ) -> dict[str, Tensor]:
        """Computes the loss.

        Args:
            student: P tensors (B, N, D_s), any length.
            teacher: (B, N, D_t); receives no gradient.
            valid: (B, N) bool; tokens that take part, as rows and as columns. None:
                all.

        Returns:
            ``loss_context``; an exact, differentiable zero if no token is valid.

        Raises:
            ValueError: If there is no projection, or tokens do not correspond.
        """
        self._check(student, teacher, valid)
        with torch.autocast(teacher.device.type, enabled=False):
            target = _unit(teacher.detach())
            ours = [_unit(tokens) for tokens in student]
            rows = self._rows(ours, target, valid)
            if valid is None:
                count = rows.new_full((), float(rows.numel()))
            else:
                rows = rows.where(valid, 0.0)
                count = valid.to(rows).sum()
            loss = rows.sum() / mean_count_per_rank(count) * self.loss_weight
        return dict(loss_context=loss)

    def _rows(self, ours: list[Tensor], target: Tensor, valid: Tensor | None) -> Tensor:
        """Distance of every row, (B, N)."""
        batch, tokens = target.shape[:2]
        size = max(self.chunk_entries // (batch * tokens), 1)
        if size >= tokens:
            return self._chunk(0, tokens, target, valid, *ours)
        parts = [
            checkpoint(
                self._chunk,
                start,
                start + size,
                target,
                valid,
                *ours,
                use_reentrant=False,
                preserve_rng_state=False,
            )
            for start in range(0, tokens, size)
        ]
        return torch.cat(parts, dim=1)

    def _chunk(
        self, start: int, stop: int, target: Tensor, valid: Tensor | None, *ours: Tensor
    ) -> Tensor:
        """Distance of some rows, (B, stop - start)."""
        gap = target[:, start:stop] @ target.mT
        for unit in ours:
            gap = torch.baddbmm(gap, unit[:, start:stop], unit.mT, alpha=-1 / len(ours))
        if valid is None:
            columns = gap.new_full((len(gap), 1), float(gap.shape[-1]))
        else:
            gap = gap.masked_fill(~valid[:, None], 0.0)
            columns = valid.to(gap).sum(1, keepdim=True).clamp(min=1)
        return self.distance(gap, columns)

    @staticmethod
    def _check(
        student: Sequence[Tensor], teacher: Tensor, valid: Tensor | None
    ) -> None:
        if not student:
            raise ValueError('the student has no projection to compare')
        for tokens in student:
            if tokens.shape[:2] != teacher.shape[:2]:
                raise ValueError(
                    f'student tokens {tuple(tokens.shape)} and teacher tokens '
                    f'{tuple(teacher.shape)} do not correspond; context distillation '
                    'needs equal grids'
                )
        if valid is not None and valid.shape != teacher.shape[:2]:
            raise ValueError(
                f'valid has shape {tuple(valid.shape)}, the tokens '
                f'{tuple(teacher.shape[:2])}'
            )


def _unit(tokens: Tensor) -> Tensor:
    if tokens.dtype != torch.float64:
        tokens = tokens.float()
    return F.normalize(tokens, dim=-1)
