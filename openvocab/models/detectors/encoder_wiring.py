"""What the parts of a detector take over from its encoder.

Widths, strides and normalisation follow from the encoder, so no config repeats them,
and exchanging the encoder is one line. What a config does state is left as it is.
"""

from collections.abc import Sequence
from copy import deepcopy
from typing import Any

from mmengine.config import ConfigDict

from openvocab.models.backbones import CLIPBackbone
from openvocab.models.building import pixel_statistics


def wire_pyramid(
    pyramid: dict[str, Any] | None, encoder: CLIPBackbone
) -> tuple[ConfigDict | None, list[float]]:
    """Completes the config of a :class:`ViTPyramid`.

    Args:
        pyramid: Its config, or None where the taps already form a pyramid.
        encoder: The encoder.

    Returns:
        The completed config, and the strides of the maps that reach the neck.

    Raises:
        ValueError: If taps of unequal width would have to share one pyramid, or there
            is not one scale per tap.
    """
    strides = list(encoder.strides[:-1])
    if pyramid is None:
        return None, strides
    widths = set(encoder.channels[:-1])
    if len(widths) != 1:
        raise ValueError(
            f'{encoder.arch} has maps of {len(widths)} widths, which need no '
            'ViTPyramid: set pyramid=None (and give out_indices of a ViT otherwise)'
        )
    scales = pyramid.get('scales', (4, 2, 1, 0.5))
    if len(scales) != len(strides):
        raise ValueError(
            f'pyramid.scales has {len(scales)} values, backbone.out_indices '
            f'{len(strides)}: give one scale per tap'
        )
    pyramid = _filled(pyramid, in_channels=widths.pop())
    strides = [stride / scale for stride, scale in zip(strides, scales, strict=True)]
    return pyramid, strides


def wire_neck(neck: dict[str, Any], encoder: CLIPBackbone) -> ConfigDict:
    """Completes the config of an FPN with the widths of the taps."""
    return _filled(neck, in_channels=list(encoder.channels[:-1]))


def wire_rpn_head(
    rpn_head: dict[str, Any], strides: Sequence[float], levels: int
) -> ConfigDict:
    """Completes an RPN with the strides of the neck's maps.

    Args:
        rpn_head: Its config.
        strides: Strides of the maps that reach the neck.
        levels: How many maps the neck gives; further ones halve the resolution.
    """
    strides = list(strides)
    while len(strides) < levels:
        strides.append(strides[-1] * 2)
    rpn_head = deepcopy(ConfigDict(rpn_head))
    rpn_head.anchor_generator = _filled(
        rpn_head.anchor_generator, strides=strides[:levels]
    )
    return rpn_head


def wire_roi_head(
    roi_head: dict[str, Any], strides: Sequence[float], encoder: CLIPBackbone
) -> ConfigDict:
    """Completes a RoI head: strides of its maps, width and stride of the joint space.

    Args:
        roi_head: Its config.
        strides: Strides of the maps that regions are pooled from.
        encoder: The encoder.
    """
    roi_head = _filled(roi_head, vlm_stride=encoder.strides[-1])
    for name in ('bbox_roi_extractor', 'mask_roi_extractor'):
        if roi_head.get(name) is not None:
            roi_head[name] = _filled(roi_head[name], featmap_strides=list(strides))
    roi_head.bbox_head = _filled(roi_head.bbox_head, fc_out_channels=encoder.embed_dim)
    return roi_head


def wire_preprocessor(
    data_preprocessor: dict[str, Any] | None, encoder: CLIPBackbone
) -> ConfigDict:
    """Completes mmdet's preprocessor with the encoder's statistics and patch.

    Without any statistics the CLIP's own are used. Images are padded, after they are
    normalised, to what the encoder can take.
    """
    filled = _filled(
        data_preprocessor or {},
        type='mmdet.DetDataPreprocessor',
        pad_size_divisor=encoder.patch_size,
        **pixel_statistics(encoder.mean, encoder.std),
    )
    if filled.pad_size_divisor % encoder.patch_size:
        raise ValueError(
            f'data_preprocessor.pad_size_divisor={filled.pad_size_divisor} is no '
            f'multiple of {encoder.patch_size}, the patch of {encoder.arch}'
        )
    return filled


def _filled(config: dict[str, Any], **defaults: Any) -> ConfigDict:
    """A copy with defaults for what is absent or None."""
    config = deepcopy(ConfigDict(config))
    for key, value in defaults.items():
        if config.get(key) is None:
            config[key] = value
    return config
