"""A CLIP image tower as a backbone: feature maps and a dense joint embedding."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from mmengine.model import BaseModule
from torch import Tensor, nn

from openvocab.models.building import build_module
from openvocab.models.clip_factory import (
    arch_name,
    clip_fingerprint,
    clip_image_size,
    clip_mean_std,
    create_image_tower,
    image_tower_state,
    resolve_checkpoint,
)
from openvocab.models.compiling import compile_frozen
from openvocab.models.freezing import freeze, is_frozen
from openvocab.models.records import record_to_tensor
from openvocab.models.trainable import LastBlocks, Trainable, train_only, trains
from openvocab.registry import MODELS

from .dense_attention import DenseReadout, build_readout
from .encoder_record import check_on_load
from .pretrained import check_record, load_pretrained
from .towers import build_tower


@MODELS.register_module()
class CLIPBackbone(BaseModule):
    """Image tower of a CLIP: maps from fine to coarse, the last one in the joint space.

    ::

        images (B, 3, H, W) -> blocks or stages -> last block, read out -> projection
                                     |                                        |
                              taps (out_indices)             dense (B, embed_dim, h, w)

    H and W are any multiples of ``patch_size``; position tables are resized for both
    axes. Weights come from ``checkpoint`` at construction; ``init_cfg`` may then load
    what an alignment exported.

    Args:
        arch: Architecture, see :mod:`openvocab.models.clip_factory`.
        checkpoint: Weights, likewise; ``None`` leaves random ones.
        readout: Config of a :class:`DenseReadout`. Convolutional towers have no last
            block; their dense map is the same under vanilla and value.
        out_indices: Maps to return before the dense one: block indices (0-based, block
            outputs, class token dropped) of transformers, where the last block's output
            is the one that the readout gives; stage indices of convolutional towers.
        trainable_blocks: How many of the last blocks (stages) train; -1 is all of them
            and 0 freezes the whole backbone (:func:`freeze`): a task checkpoint then
            holds its :meth:`record`, checked when it is loaded. Patch and position
            embedding, class token, stem, final norm and projection do not train.
        trainable: Config of a :class:`Trainable` instead, for anything but whole
            blocks: ``openvocab.AttentionProjections``, ``openvocab.WholeTower``.
        normalize_dense: Overrides ``normalize_before_pooling``, the family's rule.
        grad_checkpointing: Recompute blocks in the backward pass to save memory.
        compile: Run a frozen backbone through ``torch.compile``: True, or arguments of
            it. Names in checkpoints stay the same; see :func:`compile_frozen`.
        init_cfg: ``dict(type='Pretrained', checkpoint=path[, prefix=str])``: a file of
            :func:`save_encoder`, or any checkpoint of the same architecture; ``prefix``
            picks one backbone out of a whole model's checkpoint.

    Attributes:
        num_unread: Number of values that were to train but that the readout never
            reads; they are frozen.
    """

    def __init__(
        self,
        arch: str,
        checkpoint: str | Path | None = None,
        readout: dict[str, Any] | DenseReadout | None = None,
        out_indices: Sequence[int] = (),
        trainable_blocks: int = 0,
        trainable: dict[str, Any] | Trainable | None = None,
        normalize_dense: bool | None = None,
        grad_checkpointing: bool = False,
        compile: bool | dict[str, Any] = False,
        init_cfg: dict[str, Any] | None = None,
    ) -> None:
        super().__init__(init_cfg=_checked_init_cfg(init_cfg))
        readout = readout or dict(type='openvocab.VanillaReadout')
        if isinstance(readout, dict):
            readout = build_readout(readout)
        self.arch = arch
        self.checkpoint = checkpoint
        self.readout: DenseReadout = readout
        path = resolve_checkpoint(checkpoint, arch)
        if path is not None:
            check_record(path, arch, readout)
        self.visual, self.logit_scale = create_image_tower(arch, checkpoint)
        self.tower = build_tower(self.visual, readout)
        self.tower.grad_checkpointing = grad_checkpointing
        self.out_indices = self._checked_indices(out_indices)
        self.normalize_dense = normalize_dense
        self.mean, self.std = clip_mean_std(arch, checkpoint)
        self.image_size = clip_image_size(arch)
        self.fingerprint = clip_fingerprint(arch, checkpoint, self.visual)
        check_on_load(self)
        self._freeze(self._strategy(trainable_blocks, trainable))
        if compile is not False:
            compile_frozen(self, compile)

    def forward(self, images: Tensor) -> tuple[Tensor, ...]:
        """Compute the maps, fine to coarse.

        Args:
            images: (B, 3, H, W), normalised; H and W multiples of ``patch_size``.

        Returns:
            One map (B, channels[i], H / strides[i], W / strides[i]) per out index, then
            the dense embedding (B, embed_dim, H / patch_size, W / patch_size), not
            normalised.
        """
        self._check_size(images)
        taps, embedding = self.tower.forward(images, self.out_indices)
        return (*taps, embedding)

    def encode_image(self, images: Tensor) -> Tensor:
        """Embed whole images the way CLIP was trained, whatever the readout.

        Args:
            images: (B, 3, H, W), normalised; nothing is resized.

        Returns:
            (B, embed_dim), not normalised.
        """
        self._check_size(images)
        return self.tower.encode_image(images)

    @property
    def strides(self) -> tuple[int, ...]:
        """Stride of every returned map, in pixels."""
        taps = (self.tower.levels[i][0] for i in self.out_indices)
        return (*taps, self.patch_size)

    @property
    def channels(self) -> tuple[int, ...]:
        """Channels of every returned map."""
        taps = (self.tower.levels[i][1] for i in self.out_indices)
        return (*taps, self.embed_dim)

    @property
    def embed_dim(self) -> int:
        """Channels of the joint space."""
        return self.tower.embed_dim

    @property
    def patch_size(self) -> int:
        """Stride of the dense embedding; image sides must be multiples of it."""
        return self.tower.patch_size

    @property
    def family(self) -> str:
        """Architecture family: ``vit``, ``eva``, ``resnet`` or ``convnext``."""
        return self.tower.family

    @property
    def normalize_before_pooling(self) -> bool:
        """Whether dense vectors are L2-normalised before a region averages them."""
        if self.normalize_dense is not None:
            return self.normalize_dense
        return self.tower.normalize_before_pooling

    def record(self) -> dict[str, Any]:
        """Identify the encoder: architecture, weights, readout; JSON-serialisable."""
        return dict(
            arch=arch_name(self.arch),
            checkpoint=self.fingerprint,
            readout=self.readout.record(),
        )

    def record_tensor(self) -> Tensor:
        """:meth:`record` as it stands in task checkpoints, uint8."""
        return record_to_tensor(self.record())

    def export_state_dict(self) -> dict[str, Tensor]:
        """Whole image tower under ``visual.``, frozen parts too, and ``logit_scale``.

        Tensors are detached; most share memory with the model.
        """
        return image_tower_state(self.visual, self.logit_scale)

    def init_weights(self) -> None:
        """Load what ``init_cfg`` names; nothing else is ever initialised here."""
        if self.is_init:
            return
        if self.init_cfg:
            load_pretrained(self, **self.init_cfg)
        self._is_init = True

    def __reduce_ex__(self, protocol: Any) -> Any:
        """Prepare a copy; a frozen backbone first loads what ``init_cfg`` names.

        An averaged model is copied before the runner calls ``init_weights``, which
        nobody ever calls on the copy.
        """
        if is_frozen(self):
            self.init_weights()
        return super().__reduce_ex__(protocol)

    def train(self, mode: bool = True) -> 'CLIPBackbone':
        """Set the mode; frozen parts and batch-norm statistics stay in eval mode."""
        super().train(mode)
        if mode:
            self.visual.eval()
            for module in self._trainable:
                module.train()
            for module in self.visual.modules():
                if isinstance(module, nn.modules.batchnorm._BatchNorm):
                    module.eval()
        return self

    def _strategy(self, blocks: int, trainable: dict | Trainable | None) -> Trainable:
        if trainable is None:
            return LastBlocks(blocks)
        if blocks:
            raise ValueError(
                f'trainable_blocks={blocks} and trainable={trainable}: set one of them'
            )
        return build_module(trainable)

    def _freeze(self, trainable: Trainable) -> None:
        self._trainable = trainable.modules(self.tower)
        self.visual.requires_grad_(False)
        self.num_unread = train_only(self.tower, trainable)
        if not trains(self.visual):
            freeze(self)

    def _checked_indices(self, out_indices: Sequence[int]) -> tuple[int, ...]:
        count = len(self.tower.levels)
        for index in out_indices:
            if not 0 <= index < count:
                raise ValueError(
                    f'out_indices: {index} is not one of the {count} levels of '
                    f'{self.arch} (0 to {count - 1})'
                )
        if list(out_indices) != sorted(set(out_indices)):
            raise ValueError(f'out_indices must rise, got {tuple(out_indices)}')
        return tuple(out_indices)

    def _check_size(self, images: Tensor) -> None:
        height, width = images.shape[-2:]
        if height % self.patch_size or width % self.patch_size or not height * width:
            raise ValueError(
                f'images of {height} x {width} pixels: {self.arch} needs multiples of '
                f'{self.patch_size}'
            )


def _checked_init_cfg(init_cfg: dict[str, Any] | None) -> dict[str, Any] | None:
    if init_cfg is not None and init_cfg.get('type') != 'Pretrained':
        raise ValueError(
            f"init_cfg of a CLIP backbone must be of type 'Pretrained', not {init_cfg}"
        )
    return init_cfg
