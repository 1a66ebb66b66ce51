"""Maps of several scales from a plain transformer, whose blocks all have one scale."""

from collections.abc import Sequence

from mmcv.cnn import build_norm_layer
from mmengine.model import BaseModule
from torch import Tensor, nn

from openvocab.registry import MODELS


@MODELS.register_module()
class ViTPyramid(BaseModule):
    """Rescales the tapped blocks of a ViT, one factor per tap.

    Factor 4 is two transposed convolutions with norm and GELU between them, 2 is one
    transposed convolution, 1 does nothing, 0.5 is a max-pool. These layers are all that
    trains between a frozen encoder and the FPN.

    Shapes: taps (B, C, h, w) -> (B, C, h * factor, w * factor); the max-pool rounds
    down.

    Args:
        in_channels: C, of every tap; :class:`FViT` takes it from the encoder.
        scales: Factor per tap, fine to coarse.
        norm_cfg: Norm inside the factor-4 layer.
        init_cfg: See mmengine's ``BaseModule``.

    Source: F-ViT (CLIPSelf, ICLR 2024, appendix; values from its public code), after
    ViTDet's simple feature pyramid.
    """

    def __init__(
        self,
        in_channels: int,
        scales: Sequence[float] = (4, 2, 1, 0.5),
        norm_cfg: dict = dict(type='BN'),  # noqa: B006
        init_cfg: dict | list[dict] | None = None,
    ) -> None:
        super().__init__(init_cfg)
        self.scales = tuple(scales)
        self.layers = nn.ModuleList(
            _rescale(in_channels, scale, norm_cfg) for scale in self.scales
        )

    def forward(self, taps: Sequence[Tensor]) -> tuple[Tensor, ...]:
        """Rescales one map per factor.

        Raises:
            ValueError: If there are not as many maps as factors.
        """
        if len(taps) != len(self.layers):
            raise ValueError(
                f'ViTPyramid has {len(self.layers)} scales {self.scales} but the '
                f'encoder taps {len(taps)} maps; set its out_indices accordingly'
            )
        return tuple(layer(tap) for layer, tap in zip(self.layers, taps, strict=True))


def _rescale(channels: int, scale: float, norm_cfg: dict) -> nn.Module:
    def double() -> nn.Module:
        return nn.ConvTranspose2d(channels, channels, kernel_size=2, stride=2)

    if scale == 4:
        norm = build_norm_layer(norm_cfg, channels)[1]
        return nn.Sequential(double(), norm, nn.GELU(), double())
    if scale == 2:
        return double()
    if scale == 1:
        return nn.Identity()
    if scale == 0.5:
        return nn.MaxPool2d(kernel_size=2, stride=2)
    raise ValueError(f'ViTPyramid: scale {scale} is none of 4, 2, 1, 0.5')
