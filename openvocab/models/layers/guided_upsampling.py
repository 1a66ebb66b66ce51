"""Upsampling the map of every class, guided by finer maps of the image.

Shape legend: B images, n classes, h x w the size before, H x W = 2 h x 2 w after.
"""

from collections.abc import Sequence

from torch import Tensor, nn

from .guided import GuidedConv


class GuidedUpsampling(nn.Module):
    """Doubles the resolution, then two convolutions on [map | guidance].

    Args:
        in_dim: Channels before.
        out_dim: Channels after.
        guide_dim: Channels of the guidance, smaller than ``in_dim``.

    Source: Cho et al., "CAT-Seg", CVPR 2024, section 3.3, upsampling decoder.
    """

    def __init__(self, in_dim: int, out_dim: int, guide_dim: int) -> None:
        super().__init__()
        if guide_dim >= in_dim:
            raise ValueError(
                f'guidance of {guide_dim} channels leaves none of {in_dim} to the map'
            )
        kept = in_dim - guide_dim
        self.up = nn.ConvTranspose2d(in_dim, kept, 2, stride=2)
        self.conv1 = GuidedConv(kept, guide_dim, out_dim)
        self.norm1 = _norm(out_dim)
        self.conv2 = nn.Conv2d(out_dim, out_dim, 3, padding=1, bias=False)
        self.norm2 = _norm(out_dim)
        self.act = nn.ReLU(inplace=True)

    def guide(self, guidance: Tensor) -> Tensor:
        """What the image adds to the maps of all classes.

        Args:
            guidance: (B, guide_dim, H, W).
        """
        return self.conv1.guide(guidance)

    def forward(self, maps: Tensor, guide: Tensor) -> Tensor:
        """Upsample.

        Args:
            maps: (B * n, in_dim, h, w), the n maps of an image in a row.
            guide: What :meth:`guide` returned.

        Returns:
            (B * n, out_dim, H, W).
        """
        maps = self.act(self.norm1(self.conv1(self.up(maps), guide)))
        return self.act(self.norm2(self.conv2(maps)))


class TapGuidance(nn.Module):
    """From a tapped map of the encoder to the guidance of one decoder stage.

    Args:
        in_dim: Channels of the tapped map.
        dim: Channels of the map once it has the resolution of the stage.
        out_dim: Channels of the guidance.
        scale: How many times finer than the tapped map the stage is; at 1 the map is
            taken as it is, and ``dim`` has no say.
    """

    def __init__(self, in_dim: int, dim: int, out_dim: int, scale: int) -> None:
        super().__init__()
        if scale == 1:
            self.up, dim = nn.Identity(), in_dim
        else:
            self.up = nn.ConvTranspose2d(in_dim, dim, scale, stride=scale)
        self.project = nn.Sequential(nn.Conv2d(dim, out_dim, 3, padding=1), nn.ReLU())

    def forward(self, tap: Tensor) -> Tensor:
        """Compute the guidance, (B, in_dim, h, w) to (B, out_dim, h', w')."""
        return self.project(self.up(tap))


def tap_order(strides: Sequence[int]) -> list[int]:
    """Which tap guides which decoder stage: the coarser first, then as listed."""
    return sorted(range(len(strides)), key=lambda index: -strides[index])


def _norm(channels: int) -> nn.GroupNorm:
    return nn.GroupNorm(max(1, channels // 16), channels)
