"""VFMs that timm implements: DINO, DINOv2 and SAM's image encoder.

An architecture is a timm name, with its tag (``'vit_base_patch16_224.dino'``), which
says the normalisation. A checkpoint is anything that
:mod:`openvocab.checkpoints.source` takes; both timm's own files and the
authors' are read.
"""

from abc import abstractmethod
from collections.abc import Callable
from pathlib import Path
from typing import Any, ClassVar

import timm
from einops import rearrange
from timm.models import vision_transformer, vision_transformer_sam
from torch import Tensor, nn

from openvocab.checkpoints.key_check import check_keys
from openvocab.checkpoints.reading import read_state_dict
from openvocab.models.clip_factory import resolve_checkpoint
from openvocab.registry import MODELS

from .base import VFMTeacher


class _TimmVFM(VFMTeacher):
    """A timm trunk without its classifier.

    Args:
        arch: Timm name; None for the default of the class, where it has one.
        checkpoint: Weights; None leaves random ones.
        frozen: Fix the weights. False is for training a VFM of one's own.
        **kwargs: Further arguments of timm's model.

    Raises:
        ValueError: Unknown name, another kind of model, or a checkpoint of another
            architecture.
        FileNotFoundError: No such checkpoint.
    """

    trunk_class: type[nn.Module]
    """The timm class that the adapter reads."""
    default_arch: ClassVar[str | None] = None
    """What ``arch`` is by default."""
    trunk_options: ClassVar[dict[str, Any]] = {}
    """Arguments of timm's model that are the adapter's own; ``kwargs`` win."""

    def __init__(
        self,
        arch: str | None = None,
        checkpoint: str | Path | None = None,
        frozen: bool = True,
        **kwargs: Any,
    ) -> None:
        arch = arch or self.default_arch
        if arch is None or not timm.is_model(arch):
            raise ValueError(f'{type(self).__name__}: timm has no model {arch!r}')
        options = {**self.trunk_options, **kwargs}
        try:
            trunk = timm.create_model(arch, pretrained=False, num_classes=0, **options)
        except TypeError as error:
            raise ValueError(
                f'{type(self).__name__}: timm does not build {arch} with '
                f'{", ".join(kwargs)} ({error})'
            ) from error
        if not isinstance(trunk, self.trunk_class):
            raise ValueError(
                f'{type(self).__name__} reads a {self.trunk_class.__name__}, {arch} is '
                f'a {type(trunk).__name__}'
            )
        config = trunk.pretrained_cfg
        patch_size = trunk.patch_embed.patch_size[0]
        super().__init__(patch_size, config['mean'], config['std'])
        self.arch = arch
        path = resolve_checkpoint(checkpoint, arch)
        if path is not None:
            state = self._rename(read_state_dict(path), trunk)
            state = {k: v for k, v in state.items() if not k.startswith('head.')}
            check_keys(state, trunk.state_dict(), path, arch)
            trunk.load_state_dict(state)
        self.trunk = trunk
        if frozen:
            self.freeze()

    def init_weights(self) -> None:
        """Keep what construction loaded or drew.

        mmengine calls ``init_weights`` of whatever a model contains, and timm's draws
        all weights anew.
        """
        self._is_init = True

    @staticmethod
    @abstractmethod
    def _rename(state: dict[str, Tensor], trunk: nn.Module) -> dict[str, Tensor]:
        """Brings a file's keys to timm's."""


@MODELS.register_module()
class TimmViT(_TimmVFM):
    """Patch tokens of a plain vision transformer after its final norm.

    Any image size; the position table is resized (bicubic, antialiased). Class token
    and registers are dropped.

    Args:
        arch: Timm name of a ``VisionTransformer``.
        checkpoint: Weights, see the module's docstring.
        frozen: Fix the weights.
        **kwargs: Further arguments of timm's model.
    """

    trunk_class = vision_transformer.VisionTransformer
    trunk_options: ClassVar[dict[str, Any]] = dict(dynamic_img_size=True)

    def encode(self, images: Tensor) -> Tensor:
        """Computes features with their gradient, (B, 3, H, W) to (B, C, h, w)."""
        tokens = self.trunk.forward_features(images)[:, self.trunk.num_prefix_tokens :]
        rows = images.shape[-2] // self.patch_size
        return rearrange(tokens, 'b (h w) c -> b c h w', h=rows)

    _rename: Callable = staticmethod(vision_transformer.checkpoint_filter_fn)


@MODELS.register_module()
class DINO(TimmViT):
    """DINO (Caron et al., ICCV 2021), ViT-B/16 by default.

    Args:
        arch: Timm name; ``'vit_base_patch8_224.dino'`` is the ViT-B/8.
        checkpoint: Weights, see the module's docstring.
        **kwargs: See :class:`TimmViT`.
    """

    default_arch = 'vit_base_patch16_224.dino'


@MODELS.register_module()
class DINOv2(TimmViT):
    """DINOv2 with registers (Oquab et al., 2023; Darcet et al., ICLR 2024), ViT-B/14.

    DeCLIP's main teacher; that it is the model with registers stands in the public
    code only.

    Args:
        arch: Timm name; ``'vit_large_patch14_reg4_dinov2.lvd142m'`` is the ViT-L/14.
        checkpoint: Weights, see the module's docstring.
        **kwargs: See :class:`TimmViT`.
    """

    default_arch = 'vit_base_patch14_reg4_dinov2.lvd142m'


@MODELS.register_module()
class SAMEncoder(_TimmVFM):
    """Image encoder of Segment Anything (Kirillov et al., ICCV 2023), ViT-B/16.

    The map is that of the neck, 256 channels. Any image size; the position tables,
    absolute and relative, are resized.

    Args:
        arch: Timm name; ``'samvit_large_patch16.sa1b'`` is the ViT-L/16.
        checkpoint: Weights, see the module's docstring; of the authors' file only the
            image encoder is read.
        frozen: Fix the weights.
        **kwargs: Further arguments of timm's model.
    """

    trunk_class = vision_transformer_sam.VisionTransformerSAM
    default_arch = 'samvit_base_patch16.sa1b'

    def encode(self, images: Tensor) -> Tensor:
        """Computes features with their gradient, (B, 3, H, W) to (B, 256, h, w)."""
        return self.trunk.forward_features(images)

    _rename: Callable = staticmethod(vision_transformer_sam.checkpoint_filter_fn)
