"""Frozen image encoders: no gradient, no optimizer state, not in checkpoints."""

import contextlib

import torch
from mmengine.model import BaseModule
from torch import Tensor, nn

from openvocab.device import has_bfloat16
from openvocab.registry import MODELS

from ..building import build_module
from ..dense_map import dense_map
from ..freezing import freeze


class _FrozenTeacher(BaseModule):
    """Holds a frozen encoder and runs it in reduced precision where possible.

    Args:
        encoder: A ``CLIPBackbone`` or its config.
    """

    def __init__(self, encoder: dict | nn.Module) -> None:
        super().__init__()
        self.encoder = build_module(encoder)
        freeze(self)

    @property
    def embed_dim(self) -> int:
        """Width of the teacher's joint space."""
        return self.encoder.embed_dim


@MODELS.register_module()
class DenseTeacher(_FrozenTeacher):
    """Targets pooled from the teacher's own dense map (DenseVLM's P-VLM)."""

    def forward(self, images: Tensor) -> Tensor:
        """Computes the dense map.

        Args:
            images: (B, 3, h, w), sides multiples of the teacher's patch.

        Returns:
            (B, D, h / stride, w / stride) float32, detached.
        """
        with torch.no_grad(), reduced_precision(images.device):
            return dense_map(self.encoder, images)


@MODELS.register_module()
class CropTeacher(_FrozenTeacher):
    """Targets from the image embedding of crops (CLIPSelf)."""

    def forward(self, crops: Tensor) -> Tensor:
        """Encodes crops.

        Args:
            crops: (N, 3, S, S) normalised, S the input size of the encoder.

        Returns:
            (N, D) float32, detached.
        """
        if len(crops) == 0:
            return crops.new_zeros(0, self.embed_dim)
        with torch.no_grad(), reduced_precision(crops.device):
            return self.encoder.encode_image(crops).float()


def reduced_precision(device: torch.device) -> contextlib.AbstractContextManager:
    """Autocast for inference: bfloat16 on GPUs that compute in it, else float16.

    On a CPU the surrounding precision is left as it is.
    """
    if device.type != 'cuda':
        return contextlib.nullcontext()
    half = torch.bfloat16 if has_bfloat16(device) else torch.float16
    return torch.autocast('cuda', dtype=half)
