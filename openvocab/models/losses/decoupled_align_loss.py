"""Decoupled region-language alignment (DenseVLM, section 3.2, Eqn. 2-5).

Shapes: N regions, K classes, student width D_s, teacher width D_t, B images.
"""

import torch
from torch import Tensor, nn

from openvocab.registry import MODELS

from .decoupling import Decoupling, resolve_decoupling
from .reductions import Reduction, build_reduction


@MODELS.register_module()
class DecoupledAlignLoss(nn.Module):
    """KL divergence from the teacher's to the student's class probabilities.

    1. The teacher classifies every region over all classes at ``teacher_tau``; the
       best class is the region's class, and regions below ``theta`` are dropped.
    2. The kind of that class (thing or stuff) selects the contrast set. Published:
       things against things, stuff against everything. (Eqn. 5 prints the two cases
       swapped; the text of the section and Table 3 agree with this reading.)
    3. Both models' probabilities are taken on that set; the loss of a region is
       KL(teacher || student), with no gradient to the teacher.

    All shapes are static and nothing is read back to the host. If no region is kept
    the loss is an exact, differentiable zero.

    Args:
        decoupling: A name of ``DECOUPLINGS`` or a ``Decoupling``.
        theta: Smallest top-1 probability of the teacher for a region to be used.
        tau: Temperature of the student's, and by default the teacher's, softmax.
        teacher_tau: Temperature of the teacher where it should differ.
        reduction: ``'group'`` (released weights), ``'region'`` (paper), or a config.
        loss_weight: Factor of the loss.

    Raises:
        ValueError: If a temperature is not positive or a name is unknown.
    """

    def __init__(
        self,
        decoupling: str | Decoupling = 'thing_vs_thing_stuff_vs_all',
        theta: float = 0.3,
        tau: float = 0.01,
        teacher_tau: float | None = None,
        reduction: str | dict | Reduction = 'group',
        loss_weight: float = 1.0,
    ) -> None:
        super().__init__()
        self.tau = tau
        self.teacher_tau = tau if teacher_tau is None else teacher_tau
        if min(self.tau, self.teacher_tau) <= 0:
            raise ValueError(
                f'tau and teacher_tau must be positive, got {self.tau} and '
                f'{self.teacher_tau}'
            )
        self.decoupling = resolve_decoupling(decoupling)
        self.reduction = build_reduction(reduction)
        self.theta = theta
        self.loss_weight = loss_weight

    def forward(
        self,
        student: Tensor,
        teacher: Tensor,
        student_text: Tensor,
        teacher_text: Tensor,
        is_thing: Tensor,
        region_to_image: Tensor,
        num_images: int,
    ) -> dict[str, Tensor]:
        """Computes the loss in float32, also inside autocast.

        Args:
            student: (N, D_s) unit region features.
            teacher: (N, D_t) unit region features.
            student_text: (K, D_s) text rows of the student's own text tower.
            teacher_text: (K, D_t) text rows of the teacher's own text tower.
            is_thing: (K,) bool.
            region_to_image: (N,) int64.
            num_images: B.

        Returns:
            ``loss_align``, and monitors of this rank's batch: ``keep_ratio`` (kept
            of all regions), ``thing_ratio`` (things of the kept), ``agreement``
            (kept regions whose best class over all classes is the teacher's).
        """
        with torch.autocast(student.device.type, enabled=False):
            logits = _similarity(student, student_text) / self.tau
            target = _similarity(teacher, teacher_text).detach() / self.teacher_tau
            confidence, label = target.softmax(1).max(1)
            keep = confidence >= self.theta
            thing = is_thing[label]
            excluded = ~self.decoupling.contrast_set(thing, is_thing)
            divergence = _kl_divergence(target, logits, excluded)
            weight = self.reduction(
                keep.to(divergence), thing, region_to_image, num_images
            )
            loss = (divergence.where(keep, 0.0) * weight).sum() * self.loss_weight
            agree = logits.detach().argmax(1) == label
        return dict(
            loss_align=loss,
            keep_ratio=_share(keep, torch.ones_like(keep)),
            thing_ratio=_share(keep & thing, keep),
            agreement=_share(keep & agree, keep),
        )


def _similarity(features: Tensor, text: Tensor) -> Tensor:
    if features.dtype != torch.float64:
        features = features.float()
    return features @ text.to(features).T


def _kl_divergence(target: Tensor, logits: Tensor, excluded: Tensor) -> Tensor:
    """KL(softmax(target) || softmax(logits)) over the classes not excluded, (N,)."""
    target = target.masked_fill(excluded, float('-inf')).log_softmax(1)
    logits = logits.masked_fill(excluded, float('-inf')).log_softmax(1)
    # an excluded class has probability 0 in both: -inf - -inf must not be formed
    gap = target.masked_fill(excluded, 0.0) - logits.masked_fill(excluded, 0.0)
    return (target.exp() * gap).sum(1)


def _share(part: Tensor, whole: Tensor) -> Tensor:
    return part.sum() / whole.sum().clamp(min=1)
