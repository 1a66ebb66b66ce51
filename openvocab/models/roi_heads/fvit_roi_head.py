"""Second stage of F-ViT: regions are also pooled from the encoder's dense map."""

from collections.abc import Iterable
from typing import Any

from mmdet.models import StandardRoIHead
from torch import Tensor, nn
from torch.nn import functional as F

from openvocab.models.building import build_module
from openvocab.registry import MODELS


class DenseFeatures(tuple):
    """Feature maps of a detector, fine to coarse, and a dense embedding beside them.

    A tuple of maps for every head that expects one.

    Attributes:
        dense: (B, D, h, w), the encoder's map in the joint space.
    """

    dense: Tensor

    def __new__(cls, maps: Iterable[Tensor], dense: Tensor) -> 'DenseFeatures':
        """Joins maps and dense embedding."""
        features = super().__new__(cls, maps)
        features.dense = dense
        return features


@MODELS.register_module()
class FViTRoIHead(StandardRoIHead):
    """mmdet's ``StandardRoIHead`` with the encoder's opinion on every proposal.

    In prediction the dense map is averaged over each *proposal* (not the refined box)
    and the resulting score is fused with the detector's; in training the dense map is
    not used.

    Args:
        vlm_pooler: How a proposal is pooled from the dense map.
        vlm_stride: Pixels per token of that map; :class:`FViT` takes it from the
            encoder.
        **kwargs: Arguments of ``StandardRoIHead``.
    """

    def __init__(
        self,
        vlm_stride: float,
        vlm_pooler: dict | nn.Module = dict(type='openvocab.RoIPooler'),  # noqa: B006
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.vlm_stride = vlm_stride
        self.vlm_pooler = build_module(vlm_pooler)

    def loss(self, x: tuple[Tensor, ...], *args: Any, **kwargs: Any) -> dict:
        """Losses of the parent; without the dense map, so that nothing is fused."""
        return super().loss(tuple(x), *args, **kwargs)

    def predict(self, x: tuple[Tensor, ...], *args: Any, **kwargs: Any) -> list:
        """Predictions of the parent.

        Raises:
            TypeError: If the dense map is missing: the box head's logits are no scores
                before they are fused.
        """
        if not isinstance(x, DenseFeatures):
            raise TypeError(
                'prediction fuses scores with the dense map: give DenseFeatures, which '
                'extract_feat of an FViT returns in eval mode'
            )
        return super().predict(x, *args, **kwargs)

    def _bbox_forward(self, x: tuple[Tensor, ...], rois: Tensor) -> dict[str, Tensor]:
        results = super()._bbox_forward(x, rois)
        results['bbox_pred'] = results['bbox_pred'].float()  # NMS knows no bfloat16
        if isinstance(x, DenseFeatures):
            # unit tokens before they are averaged (public code)
            dense = F.normalize(x.dense, dim=1)
            pooled = self.vlm_pooler.pool(dense, rois, self.vlm_stride)
            results['cls_score'] = self.bbox_head.fuse(results['cls_score'], pooled)
        return results

    def _mask_forward(self, x: tuple[Tensor, ...], *args: Any, **kwargs: Any) -> dict:
        results = super()._mask_forward(x, *args, **kwargs)
        results['mask_preds'] = results['mask_preds'].float()
        return results
