"""Random batches with annotated regions."""

import torch
from mmengine.structures import InstanceData
from torch import Tensor

from openvocab.structures import RegionDataSample


def random_region_batch(
    images: int = 2,
    size: int | tuple[int, int] = 64,
    regions: int = 3,
    crop_size: int = 32,
    classes: int = 10,
    seed: int = 0,
) -> tuple[list[Tensor], list[RegionDataSample]]:
    """Images and data samples as ``PackRegions`` hands them to a model.

    The regions are the cells of a row-wise split, so that the segment map covers the
    image; every second one is a thing.

    Args:
        images: Number of images B.
        size: Height and width, or one number for both.
        regions: Regions per image.
        crop_size: Side of the crops.
        classes: Labels are drawn below this number.
        seed: Seed of everything random.

    Returns:
        ``B`` uint8 tensors ``(3, H, W)`` and ``B`` data samples.
    """
    generator = torch.Generator().manual_seed(seed)
    height, width = (size, size) if isinstance(size, int) else size
    inputs, samples = [], []
    for number in range(images):
        shape = (3, height, width)
        inputs.append(_bytes(shape, generator))
        edges = torch.linspace(0, height, regions + 1).round()
        boxes = torch.stack(
            [
                torch.zeros(regions),
                edges[:-1],
                torch.full((regions,), float(width)),
                edges[1:],
            ],
            dim=1,
        )
        rows = torch.bucketize(torch.arange(height) + 0.5, edges)
        sample = RegionDataSample(
            metainfo=dict(
                img_id=number,
                img_shape=(height, width),
                ori_shape=(height, width),
                pad_shape=(height, width),
            )
        )
        sample.regions = InstanceData(
            bboxes=boxes,
            labels=torch.randint(classes, (regions,), generator=generator),
            is_thing=torch.arange(regions) % 2 == 0,
            crops=_bytes((regions, 3, crop_size, crop_size), generator),
            crop_valid=torch.ones(regions, dtype=torch.bool),
        )
        sample.segment_map = rows[:, None].expand(height, width).int().contiguous()
        samples.append(sample)
    return inputs, samples


def _bytes(shape: tuple[int, ...], generator: torch.Generator) -> Tensor:
    return torch.randint(0, 256, shape, generator=generator, dtype=torch.uint8)
