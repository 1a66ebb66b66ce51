"""A region proposal network with normalised convolutions."""

from typing import Any

from mmcv.cnn import ConvModule
from mmdet.models import RPNHead
from torch import nn

from openvocab.registry import MODELS


@MODELS.register_module()
class NormRPNHead(RPNHead):
    """mmdet's ``RPNHead`` with a norm in its convolutions, as F-ViT has it on OV-LVIS.

    Args:
        norm_cfg: The norm.
        **kwargs: Arguments of ``RPNHead``.
    """

    def __init__(self, norm_cfg: dict = dict(type='BN'), **kwargs: Any) -> None:  # noqa: B006
        self.norm_cfg = norm_cfg  # the parent's constructor makes the layers
        super().__init__(**kwargs)

    def _init_layers(self) -> None:
        super()._init_layers()
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
