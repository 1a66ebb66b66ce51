"""ConvNeXt: timm's trunk inside open_clip's ``TimmModel``."""

from collections.abc import Sequence

from einops import rearrange
from open_clip.timm_model import TimmModel
from timm.layers import NormMlpClassifierHead
from torch import Tensor, nn

from ..dense_attention import DenseReadout
from .convolutional import ConvolutionalTower


class ConvNeXtTower(ConvolutionalTower):
    """Adapter of timm's ``ConvNeXt`` trunk; see :class:`Tower`.

    The dense embedding of a position is the head (norm, projection) applied to it
    without pooling.
    """

    family = 'convnext'

    def __init__(self, visual: TimmModel, readout: DenseReadout) -> None:
        super().__init__(visual, readout)
        head = visual.trunk.head
        linear = [m for m in visual.head.modules() if isinstance(m, nn.Linear)]
        if not isinstance(head, NormMlpClassifierHead) or not linear:
            raise ValueError(
                f'ConvNeXt with the head {type(head).__name__} and {len(linear)} '
                'projection layers is not supported: its norm must follow the pooling, '
                'and a projection must follow that'
            )
        self.embed_dim = linear[-1].out_features
        self.patch_size = self.levels[-1][0]

    @property
    def levels(self) -> list[tuple[int, int]]:
        """Stride and channels of every stage."""
        return [(i['reduction'], i['num_chs']) for i in self.visual.trunk.feature_info]

    @property
    def groups(self) -> list[nn.Module]:
        """The four stages."""
        return list(self.visual.trunk.stages)

    def forward(
        self, images: Tensor, out_indices: Sequence[int]
    ) -> tuple[list[Tensor], Tensor]:
        """Compute tapped maps and the dense embedding."""
        stages = self._stages(images)
        maps = [stages[index] for index in out_indices]
        head = self.visual.trunk.head
        x = rearrange(head.norm(stages[-1]), 'b c h w -> b h w c')
        x = self.visual.head(head.drop(x))
        return maps, rearrange(x, 'b h w c -> b c h w').contiguous()

    def encode_image(self, images: Tensor) -> Tensor:
        """Pooled embedding as CLIP was trained."""
        pooled = self.visual.trunk.forward_head(self._stages(images)[-1])
        return self.visual.head(pooled)

    def _stages(self, images: Tensor) -> list[Tensor]:
        x, maps = self.visual.trunk.stem(images), []
        for stage in self.groups:
            x = stage.downsample(x)
            for block in stage.blocks:
                x = self._run(block, x)
            maps.append(x)
        return maps
