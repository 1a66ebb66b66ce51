"""What a model itself gives for images: its program is compared with this.

Shape legend: B images, H x W pixels.
"""

from collections.abc import Callable

import torch
from torch import Tensor, nn

from openvocab.by_base_class import by_base_class

from .image_programs import numbered


def model_maps(model: nn.Module, images: Tensor) -> dict[str, Tensor]:
    """Computes the outputs of a program the way that the model computes them.

    Args:
        model: A model of mmengine that :func:`program_of` takes, in eval mode.
        images: (B, 3, H, W), RGB, whole numbers from 0 to 255.

    Returns:
        Outputs of the program by name; those that the model never computes by itself
        are absent.
    """
    read = by_base_class(_READERS, model) or _encoder_maps
    return read(model, model_inputs(model, images))


def model_inputs(model: nn.Module, images: Tensor) -> Tensor:
    """Images as the model's data preprocessor hands them on, without padding.

    Args:
        model: See :func:`model_maps`.
        images: See :func:`model_maps`.

    Returns:
        (B, 3, H, W) float32.
    """
    height, width = images.shape[-2:]
    preprocessor = model.data_preprocessor
    if preprocessor._channel_conversion:  # it expects images as files are read, BGR
        images = images.flip(1)
    data = dict(inputs=list(images.to(torch.uint8)), data_samples=None)
    return preprocessor(data, False)['inputs'][..., :height, :width]


def _encoder_maps(model: nn.Module, inputs: Tensor) -> dict[str, Tensor]:
    *levels, dense = model.backbone(inputs)
    return {**numbered(level=levels), 'dense': dense}


def _segmentor_maps(model: nn.Module, inputs: Tensor) -> dict[str, Tensor]:
    return dict(logits=model.encode_decode(inputs))


def _detector_maps(model: nn.Module, inputs: Tensor) -> dict[str, Tensor]:
    features = model.extract_feat(inputs)
    objectness, deltas = model.rpn_head(features)
    maps = numbered(level=features, objectness=objectness, deltas=deltas)
    return {**maps, 'dense': features.dense}


_READERS: dict[str, Callable[[nn.Module, Tensor], dict[str, Tensor]]] = {
    'FViT': _detector_maps,
    'OVSegmentor': _segmentor_maps,
}
