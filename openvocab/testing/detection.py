"""Random batches with annotated boxes and masks."""

from collections.abc import Sequence
from itertools import repeat

import numpy as np
import torch
from mmdet.structures import DetDataSample
from mmdet.structures.mask import BitmapMasks
from mmengine.structures import InstanceData
from torch import Tensor

_SMALLEST = 4.0  # pixels; every mask then owns a pixel


def random_detection_batch(
    images: int = 2,
    size: int | tuple[int, int] = 64,
    boxes: int | Sequence[int] = 3,
    classes: int = 10,
    masks: bool = False,
    sizes: Sequence[tuple[int, int]] | None = None,
    scale_factor: tuple[float, float] = (1.0, 1.0),
    seed: int | torch.Generator = 0,
) -> tuple[list[Tensor], list[DetDataSample]]:
    """Images and data samples as mmdet's ``PackDetInputs`` hands them to a model.

    ``dict(inputs=inputs, data_samples=samples)`` is what ``train_step``, ``test_step``
    and a data preprocessor take; the latter adds ``batch_input_shape`` and
    ``pad_shape``.

    Args:
        images: Number of images B.
        size: Height and width of every image, or one number for both; at least 4.
        boxes: Annotated boxes per image, or one number for each; 0 is an image
            without annotations.
        classes: Labels are drawn below this number.
        masks: Also annotate masks, the ellipse within every box.
        sizes: Height and width of each image; replaces ``images`` and ``size``.
        scale_factor: Width and height of the input over those of the original image,
            which predictions are scaled back to.
        seed: Seed of everything random, or a generator.

    Returns:
        ``B`` uint8 tensors ``(3, H, W)`` and ``B`` data samples.
    """
    generator = seed
    if not isinstance(generator, torch.Generator):
        generator = torch.Generator().manual_seed(seed)
    if sizes is None:
        sizes = [(size, size) if isinstance(size, int) else size] * images
    counts = repeat(boxes, len(sizes)) if isinstance(boxes, int) else boxes
    inputs, samples = [], []
    for number, (shape, count) in enumerate(zip(sizes, counts, strict=True)):
        height, width = shape
        pixels = torch.randint(256, (3, height, width), generator=generator)
        inputs.append(pixels.to(torch.uint8))
        sample = DetDataSample(metainfo=_metainfo(number, shape, scale_factor))
        sample.gt_instances = _instances(shape, count, classes, masks, generator)
        sample.ignored_instances = _instances(shape, 0, classes, masks, generator)
        samples.append(sample)
    return inputs, samples


def _metainfo(
    number: int, shape: tuple[int, int], scale_factor: tuple[float, float]
) -> dict:
    height, width = shape
    return dict(
        img_id=number,
        img_path=f'{number}.jpg',
        ori_shape=(round(height / scale_factor[1]), round(width / scale_factor[0])),
        img_shape=shape,
        scale_factor=scale_factor,
        flip=False,
        flip_direction=None,
    )


def _instances(
    shape: tuple[int, int],
    count: int,
    classes: int,
    masks: bool,
    generator: torch.Generator,
) -> InstanceData:
    sides = torch.tensor([shape[1], shape[0]], dtype=torch.float32)
    shares = torch.rand(count, 2, 2, generator=generator)
    extent = _SMALLEST + shares[:, 0] * (sides - _SMALLEST)
    low = shares[:, 1] * (sides - extent)
    instances = InstanceData(
        bboxes=torch.cat([low, low + extent], dim=1),
        labels=torch.randint(classes, (count,), generator=generator),
    )
    if masks:
        bitmaps = [_ellipse(shape, box) for box in instances.bboxes.numpy()]
        bitmaps = np.stack(bitmaps) if bitmaps else np.zeros((0, *shape), np.uint8)
        instances.masks = BitmapMasks(bitmaps, *shape)
    return instances


def _ellipse(shape: tuple[int, int], box: np.ndarray) -> np.ndarray:
    left, top, right, bottom = box
    rows, columns = np.ogrid[: shape[0], : shape[1]]
    y = (rows + 0.5 - (top + bottom) / 2) / ((bottom - top) / 2)
    x = (columns + 0.5 - (left + right) / 2) / ((right - left) / 2)
    return (x * x + y * y <= 1).astype(np.uint8)
