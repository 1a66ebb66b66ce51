import numpy as np
import pytest
import torch
from mmdet.models import DetDataPreprocessor

from openvocab.testing import random_detection_batch


def test_boxes_lie_within_images_of_different_sizes():
    sizes = [(40, 64), (72, 33)]
    inputs, samples = random_detection_batch(sizes=sizes, boxes=50, classes=3)
    assert [tuple(image.shape) for image in inputs] == [(3, 40, 64), (3, 72, 33)]
    assert {image.dtype for image in inputs} == {torch.uint8}
    for (height, width), sample in zip(sizes, samples, strict=True):
        boxes = sample.gt_instances.bboxes
        assert boxes.shape == (50, 4)
        assert (boxes[:, :2] >= 0).all() and (boxes[:, 2:] > boxes[:, :2]).all()
        assert (boxes[:, 2] <= width).all() and (boxes[:, 3] <= height).all()
        assert set(sample.gt_instances.labels.tolist()) == {0, 1, 2}


def test_masks_fill_their_boxes():
    _, samples = random_detection_batch(1, (60, 90), boxes=30, masks=True)
    instances = samples[0].gt_instances
    for box, mask in zip(instances.bboxes, instances.masks.masks, strict=True):
        rows, columns = np.nonzero(mask)
        found = [columns.min(), rows.min(), columns.max() + 1, rows.max() + 1]
        # the outermost row of pixels of an ellipse may miss every pixel centre
        np.testing.assert_allclose(found, box.numpy(), atol=1.5)


def test_counts_per_image_and_an_empty_one():
    _, samples = random_detection_batch(2, boxes=[0, 2], masks=True)
    assert [len(sample.gt_instances) for sample in samples] == [0, 2]
    assert samples[0].gt_instances.masks.masks.shape == (0, 64, 64)
    with pytest.raises(ValueError):
        random_detection_batch(2, boxes=[1])


def test_the_preprocessor_pads_a_batch_and_leaves_img_shape():
    inputs, samples = random_detection_batch(sizes=[(40, 64), (72, 33)], masks=True)
    preprocessor = DetDataPreprocessor(pad_size_divisor=32, pad_mask=True)
    batch = preprocessor(dict(inputs=inputs, data_samples=samples), training=True)
    assert batch['inputs'].shape == (2, 3, 96, 64)
    for sample, shape in zip(batch['data_samples'], [(40, 64), (72, 33)], strict=True):
        assert sample.batch_input_shape == (96, 64)
        assert sample.img_shape == shape
        assert sample.gt_instances.masks.masks.shape == (3, 96, 64)


def test_the_original_image_follows_from_the_scale_factor():
    _, samples = random_detection_batch(1, (60, 90), scale_factor=(1.5, 2.0))
    assert samples[0].ori_shape == (30, 60)


def test_same_seed_same_batch():
    first, second = (random_detection_batch(seed=3, masks=True) for _ in range(2))
    other = random_detection_batch(seed=torch.Generator().manual_seed(4))
    assert torch.equal(first[0][1], second[0][1])
    assert not torch.equal(first[0][1], other[0][1])
    assert torch.equal(
        first[1][1].gt_instances.bboxes, second[1][1].gt_instances.bboxes
    )
