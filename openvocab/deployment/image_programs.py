"""What of a model becomes a program: pixels in, maps out, the vocabulary baked in.

A program normalises its images itself, as the model's data preprocessor does. It holds
the part of the model whose shapes follow from the image size alone: what picks boxes or
pastes masks stays outside, and so does padding.

Shape legend: B images, H x W pixels (multiples of the patch), K classes, D width of
the joint space.
"""

import copy
from collections.abc import Sequence

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from openvocab.by_base_class import by_base_class


class BakedText(nn.Module):
    """Stands in for a text bank, with rows that no longer follow a vocabulary."""

    rows: Tensor

    def __init__(self, rows: Tensor) -> None:
        super().__init__()
        self.register_buffer('rows', rows.detach().clone())

    def forward(self) -> Tensor:
        """Returns the rows, as the bank gave them."""
        return self.rows


class EncoderProgram(nn.Module):
    """Images to the maps of a ``CLIPBackbone``.

    Args:
        backbone: The backbone; it is used, not copied.
        preprocessor: Data preprocessor of the model that the backbone is part of: its
            mean and std count. By default those that the encoder was trained with.
    """

    mean: Tensor
    std: Tensor

    def __init__(
        self, backbone: nn.Module, preprocessor: nn.Module | None = None
    ) -> None:
        super().__init__()
        self.backbone = backbone
        mean, std = _statistics(backbone, preprocessor)
        self.register_buffer('mean', mean)
        self.register_buffer('std', std)

    def forward(self, images: Tensor) -> dict[str, Tensor]:
        """Compute the maps.

        Args:
            images: (B, 3, H, W) float32, RGB, 0 to 255.

        Returns:
            ``level0``, ``level1``, ...: the backbone's maps, fine to coarse, and
            ``dense`` (B, D, h, w), the embedding in the joint space.
        """
        *levels, dense = self.backbone(self.normalize(images))
        return {**numbered(level=levels), 'dense': dense}

    def normalize(self, images: Tensor) -> Tensor:
        """Shift and scale pixels (B, 3, H, W) for the encoder."""
        return (images - self.mean) / self.std


class SegmentorProgram(EncoderProgram):
    """Images to class maps of an ``OVSegmentor``: one view, without windows.

    Args:
        model: The segmentor, with the vocabulary to bake in; it is not changed.
    """

    def __init__(self, model: nn.Module) -> None:
        super().__init__(model.backbone, model.data_preprocessor)
        # a shallow copy: the same weights, other text
        self.model = copy.copy(model)
        self.model._modules = dict(
            model._modules, text_bank=BakedText(model.text_bank())
        )

    def forward(self, images: Tensor) -> dict[str, Tensor]:
        """Compute the class maps.

        Args:
            images: (B, 3, H, W) float32, RGB, 0 to 255.

        Returns:
            ``logits`` (B, K, h, w), at the head's resolution: what
            ``model.encode_decode`` gives.
        """
        return dict(logits=self.model.encode_decode(self.normalize(images)))


class DetectorProgram(EncoderProgram):
    """Images to the dense branch of ``FViT``: all that precedes the choice of boxes.

    Args:
        model: The detector, with the vocabulary to bake in; it is not changed.
    """

    def __init__(self, model: nn.Module) -> None:
        super().__init__(model.backbone, model.data_preprocessor)
        self.pyramid = model.pyramid
        self.neck = model.neck
        self.rpn_head = model.rpn_head
        self.text = BakedText(model.text_bank())

    def forward(self, images: Tensor) -> dict[str, Tensor]:
        """Compute the branch.

        Args:
            images: (B, 3, H, W) float32, RGB, 0 to 255.

        Returns:
            Per level i ``level{i}``, the feature map; ``objectness{i}`` (B, A, h, w)
            and ``deltas{i}`` (B, 4 A, h, w), logits and boxes of A anchors. Then
            ``dense`` (B, D, h, w), and ``similarity`` (B, K, h, w): the cosine of every
            token with every class.
        """
        *taps, dense = self.backbone(self.normalize(images))
        maps = self.neck(self.pyramid(taps))
        objectness, deltas = self.rpn_head(maps)
        unit = F.normalize(dense.float(), dim=1)
        return {
            **numbered(level=maps, objectness=objectness, deltas=deltas),
            'dense': dense,
            'similarity': torch.einsum('bdhw,kd->bkhw', unit, self.text()),
        }


def numbered(**lists: Sequence[Tensor]) -> dict[str, Tensor]:
    """Lists of maps by name, as maps by name and number: ``level0``, ``level1``."""
    return {f'{k}{i}': each for k, v in lists.items() for i, each in enumerate(v)}


# Base class of a model, by name -> its program: neither mmdet nor mmseg is imported.
PROGRAMS: dict[str, type[EncoderProgram]] = {
    'FViT': DetectorProgram,
    'OVSegmentor': SegmentorProgram,
}


def program_of(model: nn.Module) -> EncoderProgram:
    """The program of a model.

    Args:
        model: A detector, a segmentor, or another model of mmengine with a
            ``CLIPBackbone``.

    Raises:
        ValueError: It has no ``backbone``.
    """
    program = by_base_class(PROGRAMS, model)
    if program is not None:
        return program(model)
    if not hasattr(model, 'backbone'):
        raise ValueError(
            f'{type(model).__name__} has no backbone that could be exported'
        )
    return EncoderProgram(model.backbone, model.data_preprocessor)


def _statistics(
    backbone: nn.Module, preprocessor: nn.Module | None
) -> tuple[Tensor, Tensor]:
    """Mean and std of RGB pixels from 0 to 255, (3, 1, 1) each."""
    if preprocessor is None:
        rgb = torch.tensor([backbone.mean, backbone.std], dtype=torch.float32)
        mean, std = 255 * rgb.view(2, 3, 1, 1)
    elif getattr(preprocessor, 'mean', None) is None:  # it normalises nothing
        mean, std = torch.zeros(3, 1, 1), torch.ones(3, 1, 1)
    else:
        mean, std = preprocessor.mean, preprocessor.std
    return mean.expand(3, 1, 1).clone(), std.expand(3, 1, 1).clone()
