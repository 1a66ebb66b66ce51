"""Image-tower families behind :class:`CLIPBackbone`, chosen by the tower's class."""

from open_clip.modified_resnet import ModifiedResNet
from open_clip.timm_model import TimmModel
from open_clip.transformer import VisionTransformer
from timm.models.convnext import ConvNeXt
from timm.models.eva import Eva
from torch import nn

from ..dense_attention import DenseReadout
from .base import Tower
from .convnext import ConvNeXtTower
from .eva import EVATower
from .open_clip_vit import OpenCLIPViT
from .resnet import ResNetTower
from .transformer import TransformerTower

__all__ = ['Tower', 'TransformerTower', 'build_tower']

_TOWERS: dict[type[nn.Module], type[Tower]] = {
    VisionTransformer: OpenCLIPViT,
    ModifiedResNet: ResNetTower,
    Eva: EVATower,
    ConvNeXt: ConvNeXtTower,
}


def build_tower(visual: nn.Module, readout: DenseReadout) -> Tower:
    """Wrap open_clip's image tower in the adapter of its family.

    Args:
        visual: Open_clip's image tower.
        readout: How the last block is read out.

    Raises:
        ValueError: No adapter for this class of tower.
    """
    model = visual.trunk if isinstance(visual, TimmModel) else visual
    for model_class, tower in _TOWERS.items():
        if isinstance(model, model_class):
            return tower(visual, readout)
    raise ValueError(
        f'no adapter for image towers of class {type(model).__name__}, only for '
        f'{", ".join(c.__name__ for c in _TOWERS)}'
    )
