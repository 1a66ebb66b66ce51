"""Random batches with label maps."""

from collections.abc import Sequence

import torch
from mmengine.structures import PixelData
from mmseg.structures import SegDataSample
from torch import Tensor


def random_segmentation_batch(
    images: int = 2,
    size: int | tuple[int, int] = 64,
    classes: int = 10,
    sizes: Sequence[tuple[int, int]] | None = None,
    ori_shapes: Sequence[tuple[int, int]] | None = None,
    ignored: float = 0.1,
    ignore_index: int = 255,
    cell: int = 8,
    seed: int = 0,
) -> tuple[list[Tensor], list[SegDataSample]]:
    """Images and data samples as mmseg's ``PackSegInputs`` hands them to a model.

    ``dict(inputs=inputs, data_samples=samples)`` is what ``train_step``, ``test_step``
    and a data preprocessor take. Labels are constant on square cells; the label map has
    the size of the input, as in training pipelines.

    Args:
        images: Number of images B.
        size: Height and width of every image, or one number for both.
        classes: Labels are drawn below this number.
        sizes: Height and width of each image; replaces ``images`` and ``size``.
        ori_shapes: Height and width of each image on disk; by default those of the
            input.
        ignored: Share of the cells without a label.
        ignore_index: Their label.
        cell: Side of a cell in pixels.
        seed: Seed of everything random.

    Returns:
        ``B`` uint8 tensors ``(3, H, W)`` and ``B`` data samples.
    """
    generator = torch.Generator().manual_seed(seed)
    if sizes is None:
        sizes = [(size, size) if isinstance(size, int) else size] * images
    inputs, samples = [], []
    for number, (height, width) in enumerate(sizes):
        pixels = torch.randint(256, (3, height, width), generator=generator)
        inputs.append(pixels.to(torch.uint8))
        cells = (-(-height // cell), -(-width // cell))
        labels = torch.randint(classes, cells, generator=generator)
        labels[torch.rand(cells, generator=generator) < ignored] = ignore_index
        labels = labels.repeat_interleave(cell, 0).repeat_interleave(cell, 1)
        ori_shape = (height, width) if ori_shapes is None else ori_shapes[number]
        sample = SegDataSample(
            metainfo=dict(
                img_path=f'{number}.jpg',
                ori_shape=ori_shape,
                img_shape=(height, width),
                scale_factor=(width / ori_shape[1], height / ori_shape[0]),
                flip=False,
                flip_direction=None,
            )
        )
        sample.gt_sem_seg = PixelData(data=labels[None, :height, :width].contiguous())
        samples.append(sample)
    return inputs, samples
