"""How models build their parts: from a config or from what was built already."""

from collections.abc import Sequence
from typing import Any

from mmengine.registry import Registry
from torch import nn

from openvocab.registry import MODELS


def build_module(source: Any, registry: Registry = MODELS) -> Any:
    """Builds a config; passes anything else through.

    Args:
        source: A config, or what such a config would build.
        registry: Where the type of the config is looked up.
    """
    return registry.build(source) if isinstance(source, dict) else source


def build_text_bank(
    name: str, source: dict | nn.Module, encoder: nn.Module
) -> nn.Module:
    """Builds a text bank for an image encoder.

    Args:
        name: Of the argument, for the error.
        source: A ``TextBank`` or its config. A config without ``encoder`` takes the
            text tower of the CLIP that the image encoder was built from.
        encoder: The ``CLIPBackbone`` whose joint space the rows must share.

    Raises:
        ValueError: If the rows have another width.
    """
    if isinstance(source, dict) and 'encoder' not in source:
        tower = dict(
            type='openvocab.TextEncoder',
            arch=encoder.arch,
            checkpoint=encoder.checkpoint,
        )
        source = dict(source, encoder=tower)
    bank = build_module(source)
    if bank.embed_dim != encoder.embed_dim:
        raise ValueError(
            f'{name} has rows of width {bank.embed_dim}, its image encoder '
            f'{encoder.embed_dim}; give both the same CLIP'
        )
    return bank


def pixel_statistics(mean: Sequence[float], std: Sequence[float]) -> dict[str, Any]:
    """Arguments of a data preprocessor that normalises BGR images for an encoder.

    Args:
        mean: RGB mean of pixels in [0, 1].
        std: RGB deviation of pixels in [0, 1].
    """
    return dict(
        mean=[255 * value for value in mean],
        std=[255 * value for value in std],
        bgr_to_rgb=True,
    )
