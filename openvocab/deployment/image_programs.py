"""What of a model becomes a program: pixels in, maps out, the vocabulary baked in.

A program normalises its images itself. It holds the part of the model whose shapes
follow from the image size alone: what picks boxes or pastes masks stays outside.

Shape legend: B images, H x W pixels (multiples of the patch), K classes, D width of
the joint space.
"""

import copy

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from openvocab.utils.by_base_class import by_base_class


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
    """

    mean: Tensor
    std: Tensor

    def __init__(self, backbone: nn.Module) -> None:
        super().__init__()
        self.backbone = backbone
        for name in ('mean', 'std'):
            values = torch.tensor(getattr(backbone, name), dtype=torch.float32)
            self.register_buffer(name, 255 * values.view(3, 1, 1))

    def forward(self, images: Tensor) -> dict[str, Tensor]:
        """Compute the maps.

        Args:
            images: (B, 3, H, W) float32, RGB, 0 to 255.

        Returns:
            ``level0``, ``level1``, ...: the backbone's maps, fine to coarse, and
            ``dense`` (B, D, h, w), the embedding in the joint space.
        """
        *levels, dense = self.backbone(self.normalize(images))
        maps = {f'level{index}': level for index, level in enumerate(levels)}
        return {**maps, 'dense': dense}

    def normalize(self, images: Tensor) -> Tensor:
        """Shift and scale pixels as the encoder was trained."""
        return (images - self.mean) / self.std


class SegmentorProgram(EncoderProgram):
    """Images to class maps of an ``OVSegmentor``: one view, without windows.

    Args:
        model: The segmentor, with the vocabulary to bake in; it is not changed.
    """

    def __init__(self, model: nn.Module) -> None:
        super().__init__(model.backbone)
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
        super().__init__(model.backbone)
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
        named = dict(level=maps, objectness=objectness, deltas=deltas)
        return {
            **{f'{k}{i}': each for k, v in named.items() for i, each in enumerate(v)},
            'dense': dense,
            'similarity': torch.einsum('bdhw,kd->bkhw', unit, self.text()),
        }


# Base class of a model, by name -> its program: neither mmdet nor mmseg is imported.
PROGRAMS: dict[str, type[EncoderProgram]] = {
    'FViT': DetectorProgram,
    'OVSegmentor': SegmentorProgram,
}


def program_of(model: nn.Module) -> EncoderProgram:
    """The program of a model.

    Args:
        model: A detector, a segmentor, or anything with a ``CLIPBackbone``.

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
    return EncoderProgram(model.backbone)
