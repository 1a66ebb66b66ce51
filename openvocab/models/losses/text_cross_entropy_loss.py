"""Classification loss of a detector whose classes are text rows."""

import torch
from mmdet.models import CrossEntropyLoss
from torch import Tensor

from openvocab.registry import MODELS


@MODELS.register_module()
class TextCrossEntropyLoss(CrossEntropyLoss):
    """Softmax cross-entropy over any number of classes, the last one the background.

    It has no list of class weights that would have to change with the vocabulary: only
    the background is weighted. The loss is divided by the number of sampled regions,
    weighted or not, as mmdet's box heads do.

    For mmdet's box heads it also answers, by the extension point made for
    ``SeesawLoss``, that what the head predicts needs no activation: the RoI head has
    fused probabilities already.

    Args:
        background_weight: Weight of regions that are background: 0.6 on OV-COCO, 0.9 on
            OV-LVIS in F-ViT's public configs.
        loss_weight: Weight of the whole.
    """

    custom_cls_channels = True

    def __init__(
        self, background_weight: float = 0.6, loss_weight: float = 1.0
    ) -> None:
        super().__init__(use_sigmoid=False, loss_weight=loss_weight)
        self.background_weight = background_weight

    def get_cls_channels(self, num_classes: int) -> int:
        """Width of the scores: the classes and the background."""
        return num_classes + 1

    def get_activation(self, cls_score: Tensor) -> Tensor:
        """Returns the scores as they are: they are fused probabilities."""
        return cls_score

    def forward(
        self, cls_score: Tensor, label: Tensor, weight: Tensor, **kwargs
    ) -> Tensor:
        """Computes the loss.

        Args:
            cls_score: (N, K + 1) logits; classes that must not count as negatives hold
                ``-inf``.
            label: (N,), K for the background.
            weight: (N,), 0 leaves a region out.
            **kwargs: ``avg_factor`` and ``reduction_override`` of the parent.
        """
        background = label == cls_score.shape[1] - 1
        weight = torch.where(background, weight * self.background_weight, weight)
        return super().forward(cls_score, label, weight, **kwargs)
