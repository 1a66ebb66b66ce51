"""Pictures of packed images of every task."""

import numpy as np
import pytest
import torch
from mmengine.structures import BaseDataElement, PixelData

from openvocab.testing import (
    random_detection_batch,
    random_region_batch,
    random_segmentation_batch,
)
from openvocab.visualization.packed import draw_packed

META = dict(
    classes=[f'class {i}' for i in range(10)],
    is_thing=[True] * 10,
    splits=['base', 'novel'] * 5,
    palette=[(25 * i, 255 - 25 * i, 128) for i in range(10)],
)
BATCHES = {
    'regions': lambda: random_region_batch(1, (64, 96)),
    'boxes': lambda: random_detection_batch(1, (64, 96)),
    'masks': lambda: random_detection_batch(1, (64, 96), masks=True),
    'labels': lambda: random_segmentation_batch(1, (64, 96)),
}


@pytest.mark.parametrize('kind', BATCHES)
def test_truth_is_drawn_on_the_image(kind):
    inputs, samples = BATCHES[kind]()
    picture = draw_packed(inputs[0], samples[0], META, width=300)
    assert picture.dtype == np.uint8 and picture.shape[1] == 300
    other = dict(META, palette=[(0, 0, 255)] * 10)
    assert (draw_packed(inputs[0], samples[0], other, width=300) != picture).any()


def test_labels_of_another_size_than_the_image():
    inputs, samples = random_segmentation_batch(1, (32, 48))
    labels = samples[0].gt_sem_seg.data
    finer = labels.repeat_interleave(2, 1).repeat_interleave(2, 2)
    samples[0].gt_sem_seg = PixelData(data=finer)
    picture = draw_packed(inputs[0], samples[0], META, width=96)
    assert picture.shape == (64, 96, 3)


def test_an_image_without_boxes():
    inputs, samples = random_detection_batch(1, (64, 96), boxes=0, masks=True)
    picture = draw_packed(inputs[0], samples[0], META, width=96)
    expected = inputs[0].permute(1, 2, 0).numpy()
    np.testing.assert_array_equal(picture, expected)


def test_nothing_to_draw():
    with pytest.raises(ValueError, match='nothing to draw'):
        draw_packed(torch.zeros(3, 8, 8, dtype=torch.uint8), BaseDataElement(), META, 8)
