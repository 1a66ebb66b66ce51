"""One prediction of any model, without data."""

from collections.abc import Callable
from typing import Any

from torch import nn

from openvocab.by_base_class import by_base_class

from .detection import random_detection_batch
from .regions import random_region_batch
from .segmentation import random_segmentation_batch


def _regions(model: nn.Module, size: tuple[int, int]) -> tuple:
    crop = model.backbone.image_size
    return random_region_batch(1, size, crop_size=crop, classes=len(model.text_bank))


def _boxes(model: nn.Module, size: tuple[int, int]) -> tuple:
    return random_detection_batch(1, size, classes=1)


def _labels(model: nn.Module, size: tuple[int, int]) -> tuple:
    return random_segmentation_batch(1, size, classes=1)


# Base class of a model, by name -> its inputs; the first that fits.
_BATCHES: dict[str, Callable[[nn.Module, tuple[int, int]], tuple]] = {
    'BaseDetector': _boxes,
    'BaseSegmentor': _labels,
    'BaseModel': _regions,
}


def predict_random_image(model: nn.Module, size: tuple[int, int]) -> Any:
    """Predicts an image of noise.

    Args:
        model: A detector, a segmentor or a region recognizer, in eval mode.
        size: Height and width of the image in pixels.

    Returns:
        What the model predicts, a list of one data sample.

    Raises:
        ValueError: It is no mmengine model.
    """
    make = by_base_class(_BATCHES, model)
    if make is None:
        raise ValueError(f'{type(model).__name__} is no model that predicts images')
    inputs, samples = make(model, size)
    batch = model.data_preprocessor(dict(inputs=inputs, data_samples=samples), False)
    return model(**batch, mode='predict')
