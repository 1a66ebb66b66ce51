"""The region proposal network of F-ViT: one objectness for every class there is."""

from typing import Any

from mmcv.cnn import ConvModule
from mmdet.models import RPNHead
from torch import Tensor, nn

from openvocab.registry import MODELS


@MODELS.register_module()
class FViTRPNHead(RPNHead):
    """mmdet's ``RPNHead`` that can have norms, and that works under bfloat16.

    Args:
        norm_cfg: Norm in the convolutions, as F-ViT has it on OV-LVIS; None as on
            OV-COCO.
        **kwargs: Arguments of ``RPNHead``.
    """

    def __init__(self, norm_cfg: dict | None = None, **kwargs: Any) -> None:
        self.norm_cfg = norm_cfg  # the parent's constructor makes the layers
        super().__init__(**kwargs)

    def forward_single(self, x: Tensor) -> tuple[Tensor, Tensor]:
        """Objectness and box deltas of one map, in float32: NMS knows no bfloat16."""
        objectness, deltas = super().forward_single(x)
        return objectness.float(), deltas.float()

    def _init_layers(self) -> None:
        super()._init_layers()
        if self.norm_cfg is None:
            return
        widths = [self.in_channels] + [self.feat_channels] * self.num_convs
        self.rpn_conv = nn.Sequential(
            *(
                ConvModule(
                    widths[i],
                    widths[i + 1],
                    3,
                    padding=1,
                    norm_cfg=self.norm_cfg,
                    inplace=False,
                )
                for i in range(self.num_convs)
            )
        )
