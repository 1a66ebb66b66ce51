"""Box head of F-ViT: mmdet's convolutions and layers, classes from text.

Call graph::

    loss -> super().loss                           novel classes are no negatives
    FViTRoIHead._bbox_forward -> fuse              prediction only
    predict_by_feat -> _predict_by_feat_single -> super() on the best candidates

Shapes: N regions, K classes, D width of the joint space.
"""

from typing import Any

import torch
from mmdet.models import ConvFCBBoxHead
from mmengine.structures import InstanceData
from torch import Tensor

from openvocab.registry import MODELS

_FIRST_CANDIDATES = 2000


@MODELS.register_module()
class FViTBBoxHead(ConvFCBBoxHead):
    """mmdet's ``ConvFCBBoxHead`` whose class branch ends in the joint space.

    The output of the last class layer *is* the region's embedding; its ReLU keeps it
    non-negative (so in the public code). ``num_classes`` is how many text rows there
    are. The layers are those of the parent, and so are their defaults, which are not
    F-ViT's (``configs/_base_/models/fvit.py`` has those).

    Args:
        fc_out_channels: D; :class:`FViT` takes it from the encoder.
        cls_predictor_cfg: The text classifier.
        loss_cls: Classification loss.
        fusion: How encoder and detector scores are joined in prediction.
        **kwargs: Arguments of ``ConvFCBBoxHead``.

    Source: CLIPSelf, ICLR 2024, section 4.3 and public code.
    """

    novel: Tensor
    exponents: Tensor

    def __init__(
        self,
        fc_out_channels: int,
        cls_predictor_cfg: dict = dict(type='openvocab.CosineTextClassifier'),  # noqa: B006
        loss_cls: dict = dict(type='openvocab.TextCrossEntropyLoss'),  # noqa: B006
        fusion: dict = dict(type='openvocab.GeometricScoreFusion'),  # noqa: B006
        **kwargs: Any,
    ) -> None:
        super().__init__(
            fc_out_channels=fc_out_channels,
            cls_predictor_cfg=cls_predictor_cfg,
            loss_cls=loss_cls,
            reg_class_agnostic=True,
            **kwargs,
        )
        self.fusion = MODELS.build(fusion)
        empty = torch.zeros(0)
        self.register_buffer('novel', empty.bool(), persistent=False)
        self.register_buffer('exponents', empty, persistent=False)

    @property
    def num_classes(self) -> int:
        """K, the number of text rows; 0 while mmdet's constructor still runs."""
        return self.fc_cls.num_classes if 'fc_cls' in self._modules else 0

    @num_classes.setter
    def num_classes(self, value: int) -> None:
        """Mmdet's constructor states a number here; the text rows decide."""

    def set_text(self, rows: Tensor, background: Tensor, novel: Tensor) -> None:
        """Exchanges the classes.

        Args:
            rows: (K, D) unit rows.
            background: (1, D) unit row.
            novel: (K,) bool: never a negative in training, fused with beta.
        """
        self.fc_cls.set_text(rows, background)
        device = self.fc_cls.rows.device
        self.exponents = self.fusion.exponents(novel).to(device)
        # the background is no novel class
        self.novel = torch.cat((novel, novel.new_zeros(1))).to(device)

    def fuse(self, logits: Tensor, vlm_regions: Tensor) -> Tensor:
        """Joins the detector's logits with the encoder's view of the same regions.

        Args:
            logits: (N, K + 1).
            vlm_regions: (N, D), pooled from the dense map; any length.

        Returns:
            (N, K + 1) scores.
        """
        return self.fusion(logits, self.fc_cls.cosine(vlm_regions), self.exponents)

    def loss(
        self, cls_score: Tensor, bbox_pred: Tensor, rois: Tensor, labels: Tensor,
        *args: Any, **kwargs: Any,
    ) -> dict[str, Tensor]:  # fmt: skip
        """Losses of the parent, with novel classes out of the softmax.

        A region of a novel class has an infinite loss. Looking for one would make every
        step wait for the GPU; ``DetVocabularyHook`` looks through the data set instead,
        once, before the training.
        """
        cls_score = cls_score.masked_fill(self.novel, -torch.inf)
        return super().loss(cls_score, bbox_pred, rois, labels, *args, **kwargs)

    def _predict_by_feat_single(
        self, roi: Tensor, cls_score: Tensor, *args: Any,
        rcnn_test_cfg: dict | None = None, **kwargs: Any,
    ) -> InstanceData:  # fmt: skip
        """Runs the parent on the best (region, class) pairs, with the same outcome.

        With 1,000 regions and 1,203 classes there are over a million candidates, and
        the number above a low score threshold would decide the run time. Hard
        suppression removes by higher scores and changes none; so once the best n
        candidates yield ``max_per_img`` detections, no further candidate can change
        them. n grows until they do. Other kinds (soft NMS) lower scores, so that one of
        the others may come before them: they get all candidates.
        """

        def predict(scores: Tensor) -> InstanceData:
            return super(FViTBBoxHead, self)._predict_by_feat_single(
                roi, scores, *args, rcnn_test_cfg=rcnn_test_cfg, **kwargs
            )

        if rcnn_test_cfg is None or not len(roi) or not _is_hard(rcnn_test_cfg.nms):
            return predict(cls_score)
        flat = cls_score[:, :-1].flatten()
        count = max(_FIRST_CANDIDATES, 4 * rcnn_test_cfg.max_per_img)
        while count < len(flat):
            lowest = flat.topk(count).values[-1]
            if lowest <= rcnn_test_cfg.score_thr:
                break
            found = predict(torch.where(cls_score >= lowest, cls_score, 0.0))
            if len(found) >= rcnn_test_cfg.max_per_img:
                return found
            count *= 8
        return predict(cls_score)


def _is_hard(nms: dict) -> bool:
    return nms.get('type', 'nms') == 'nms'
