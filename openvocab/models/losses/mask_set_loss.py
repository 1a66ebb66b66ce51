"""Set loss between proposed masks and the classes of a label image.

Shapes: B images, Q queries, K classes, G classes present in an image, N matched pairs,
P points, h x w the masks' resolution, H x W that of the labels.
"""

import torch
from mmcv.ops import point_sample
from mmengine.structures import InstanceData
from mmseg.models.assigners import (
    ClassificationCost,
    CrossEntropyLossCost,
    DiceCost,
    HungarianAssigner,
)
from mmseg.models.losses import CrossEntropyLoss, DiceLoss
from mmseg.models.utils.point_sample import get_uncertain_point_coords_with_randomness
from torch import Tensor, nn

from openvocab.registry import MODELS

from .global_count import mean_count_per_rank
from .ov_bce_loss import HELD_OUT, IGNORED


@MODELS.register_module()
class MaskSetLoss(nn.Module):
    """Cross-entropy on the classes of all queries, BCE and dice on matched masks.

    Every class of an image is matched with one query, at the least cost in total; the
    other queries learn "no object", the last logit. The costs are those of the losses,
    with the same weights. Masks are compared at points: random ones for the match; for
    the loss, mostly where the mask is unsure. Nothing in here depends on K. Built from
    mmseg's assigner, costs and losses.

    Args:
        cls_weight: Weight of the cross-entropy (of the probability, in the match).
        mask_weight: Weight of the binary cross-entropy.
        dice_weight: Weight of the dice loss.
        no_object_weight: Weight of "no object" relative to classes.
        num_points: P, points per mask.
        oversample_ratio: Candidates per point.
        importance_sample_ratio: Share of the points that is chosen for uncertainty.

    Source: Cheng et al., "Mask2Former", CVPR 2022, section 3.3; the values are those of
    SAN's public code.
    """

    def __init__(
        self,
        cls_weight: float = 2.0,
        mask_weight: float = 5.0,
        dice_weight: float = 5.0,
        no_object_weight: float = 0.1,
        num_points: int = 12544,
        oversample_ratio: float = 3.0,
        importance_sample_ratio: float = 0.75,
    ) -> None:
        super().__init__()
        self.assigner = HungarianAssigner(
            [
                dict(type=ClassificationCost, weight=cls_weight),
                dict(type=CrossEntropyLossCost, weight=mask_weight),
                dict(type=DiceCost, weight=dice_weight, pred_act=True, eps=1.0),
            ]
        )
        self.loss_cls = CrossEntropyLoss(loss_weight=cls_weight, avg_non_ignore=True)
        self.loss_mask = CrossEntropyLoss(
            use_sigmoid=True, loss_weight=mask_weight, avg_non_ignore=True
        )
        self.loss_dice = DiceLoss(
            loss_weight=dice_weight, naive_dice=True, eps=1.0, ignore_index=None
        )
        self.no_object_weight = no_object_weight
        self.num_points = num_points
        self.oversample_ratio = oversample_ratio
        self.importance_sample_ratio = importance_sample_ratio

    def forward(
        self, scores: Tensor, masks: Tensor, targets: list[InstanceData]
    ) -> dict[str, Tensor]:
        """Compute the losses, in float32 under autocast too.

        Args:
            scores: (B, Q, K + 1) logits, "no object" last.
            masks: (B, Q, h, w) logits.
            targets: B times ``labels`` (G,) and ``masks`` (G, H, W) bool, see
                :func:`class_masks`.

        Returns:
            ``loss_cls``, ``loss_mask`` and ``loss_dice``; the latter two are zero for a
            batch without a labelled pixel.
        """
        with torch.autocast(scores.device.type, enabled=False):
            scores, masks = scores.float(), masks.float()
            pairs = [
                self.match(*image) for image in zip(scores, masks, targets, strict=True)
            ]
            labels = _labels(scores, pairs, targets)
            weight = torch.ones_like(labels, dtype=scores.dtype)
            weight[labels == scores.shape[-1] - 1] = self.no_object_weight
            loss_cls = self.loss_cls(
                scores.flatten(0, 1), labels, weight, avg_factor=weight.sum()
            )
            predicted = [m[query] for m, (query, _) in zip(masks, pairs, strict=True)]
            wanted = [t.masks[i] for t, (_, i) in zip(targets, pairs, strict=True)]
            losses = self._mask_losses(torch.cat(predicted), torch.cat(wanted))
        return dict(loss_cls=loss_cls, **losses)

    @torch.no_grad()
    def match(
        self, scores: Tensor, masks: Tensor, target: InstanceData
    ) -> tuple[Tensor, Tensor]:
        """Match the classes of one image with queries.

        Args:
            scores: (Q, K + 1).
            masks: (Q, h, w).
            target: ``labels`` (G,) and ``masks`` (G, H, W).

        Returns:
            Indices of queries and of classes present, min(Q, G) each.
        """
        if not len(target.labels):
            none = target.labels.new_zeros(0)
            return none, none
        points = torch.rand(1, self.num_points, 2, device=masks.device)
        return self.assigner.assign(
            InstanceData(scores=scores, masks=point_sample(masks[None], points)[0]),
            InstanceData(
                labels=target.labels,
                masks=point_sample(target.masks[None].float(), points)[0],
            ),
        )

    def _mask_losses(self, predicted: Tensor, wanted: Tensor) -> dict[str, Tensor]:
        """BCE and dice of matched masks, (N, h, w) logits and (N, H, W) bool."""
        count = mean_count_per_rank(predicted.new_tensor(float(len(predicted))))
        if not len(predicted):
            # still of the graph: distributed training waits for every gradient
            return dict(loss_mask=predicted.sum(), loss_dice=predicted.sum())
        predicted = predicted[:, None]
        with torch.no_grad():
            points = get_uncertain_point_coords_with_randomness(
                predicted,
                None,
                self.num_points,
                self.oversample_ratio,
                self.importance_sample_ratio,
            )
            wanted = point_sample(wanted[:, None].float(), points)[:, 0]
        predicted = point_sample(predicted, points)[:, 0]
        points_in_all = count * self.num_points
        return dict(
            loss_mask=self.loss_mask(predicted, wanted, avg_factor=points_in_all),
            loss_dice=self.loss_dice(predicted, wanted, avg_factor=count),
        )


def class_masks(labels: Tensor, num_classes: int) -> InstanceData:
    """The classes of one label map, each with its mask.

    Args:
        labels: (H, W) int64 below K, or :data:`IGNORED` or :data:`HELD_OUT`, which are
            outside every mask.
        num_classes: K.

    Returns:
        ``labels`` (G,) int64 and ``masks`` (G, H, W) bool; G may be 0.

    Raises:
        ValueError: A label is not a class.
    """
    present = labels.unique()
    present = present[(present != IGNORED) & (present != HELD_OUT)]
    wrong = present[(present < 0) | (present >= num_classes)]
    if len(wrong):
        raise ValueError(
            f'a label is none of the {num_classes} classes that are trained, and is '
            f'not ignored (row {wrong[0]})'
        )
    return InstanceData(labels=present, masks=labels == present[:, None, None])


def _labels(
    scores: Tensor,
    pairs: list[tuple[Tensor, Tensor]],
    targets: list[InstanceData],
) -> Tensor:
    """Class of every query, (B * Q,), K where it was not matched."""
    labels = scores.new_full(scores.shape[:2], scores.shape[2] - 1, dtype=torch.long)
    for row, (query, index), target in zip(labels, pairs, targets, strict=True):
        row[query] = target.labels[index]
    return labels.flatten()
