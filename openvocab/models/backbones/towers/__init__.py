"""Image-tower families behind :class:`CLIPBackbone`, chosen by the tower's class."""

from open_clip.transformer import VisionTransformer
from torch import nn

from ..dense_attention import DenseReadout
from .base import Tower
from .open_clip_vit import OpenCLIPViT

__all__ = ['Tower', 'build_tower']


def build_tower(visual: nn.Module, readout: DenseReadout) -> Tower:
    """Wrap open_clip's image tower in the adapter of its family.

    Args:
        visual: Open_clip's image tower.
        readout: How the last block is read out.

    Raises:
        ValueError: No adapter for this class of tower.
    """
    if isinstance(visual, VisionTransformer):
        return OpenCLIPViT(visual, readout)
    raise ValueError(
        f'no adapter for image towers of class {type(visual).__name__}: supported are '
        'OpenAI/OpenCLIP ViT, EVA-02-CLIP, ModifiedResNet and ConvNeXt'
    )
