import pytest
import torch

from openvocab.models.poolers import RoIPooler
from openvocab.models.poolers.roi_pooler import boxes_to_rois, image_index
from openvocab.registry import MODELS


def ramp(h: int, w: int, stride: int) -> torch.Tensor:
    """(1, 2, h, w): the x and y coordinate, in pixels, of every token's centre."""
    x = (torch.arange(w) + 0.5) * stride
    y = (torch.arange(h) + 0.5) * stride
    return torch.stack((x.expand(h, w), y[:, None].expand(h, w)))[None]


def test_ramp_gives_box_centres():
    # the mean of a linear map over a box is its value at the box centre
    boxes = torch.tensor([[16.0, 32, 80, 64], [20, 24, 90, 50], [33, 21, 47, 44]])
    pooled = RoIPooler()(ramp(5, 7, 16), [boxes], stride=16)
    centres = torch.stack((boxes[:, 0::2].mean(1), boxes[:, 1::2].mean(1)), dim=1)
    torch.testing.assert_close(pooled, centres)


def test_grid_cell_is_mean_of_its_tokens():
    features = torch.randn(1, 3, 6, 9)
    box = torch.tensor([[24.0, 16, 56, 40]])  # columns 3..6, rows 2..4 at stride 8
    pooled = RoIPooler()(features, [box], stride=8)
    expected = features[:, :, 2:5, 3:7].mean((2, 3))
    torch.testing.assert_close(pooled, expected)


def test_batch_equals_images_one_by_one_with_an_empty_image():
    torch.manual_seed(0)
    features = torch.randn(3, 4, 5, 7)
    boxes = [torch.rand(2, 4), torch.zeros(0, 4), torch.rand(3, 4)]
    boxes = [torch.cat((b[:, :2] * 20, 25 + b[:, 2:] * 30), 1) for b in boxes]
    pooler = RoIPooler()
    single = [pooler(f[None], [b], 8) for f, b in zip(features, boxes, strict=True)]
    batch = pooler(features, boxes, 8)
    assert batch.shape == (5, 4)
    torch.testing.assert_close(batch, torch.cat(single))


def test_no_region_at_all_keeps_the_graph():
    features = torch.randn(2, 4, 5, 7, requires_grad=True)
    pooled = RoIPooler()(features, [torch.zeros(0, 4)] * 2, 8)
    assert pooled.shape == (0, 4)
    pooled.sum().backward()
    assert features.grad is not None and not features.grad.any()


def test_bfloat16_map_is_pooled_in_float32():
    features = torch.randn(1, 4, 5, 7).bfloat16()
    boxes = [torch.tensor([[0.0, 0, 40, 24]])]
    pooled = RoIPooler()(features, boxes, 8)
    assert pooled.dtype == torch.float32
    torch.testing.assert_close(pooled, RoIPooler()(features.float(), boxes, 8))


def test_torchvision_computes_the_same():
    torch.manual_seed(0)
    features = torch.randn(2, 4, 5, 7)
    boxes = [torch.tensor([[1.0, 2, 37, 29], [-5, 3, 60, 21]]), torch.zeros(0, 4)]
    ours = RoIPooler()(features, boxes, 8)
    theirs = RoIPooler(use_torchvision=True)(features, boxes, 8)
    torch.testing.assert_close(ours, theirs)


def test_more_bins_keep_their_grid():
    pooler = MODELS.build(dict(type='openvocab.RoIPooler', output_size=2))
    pooled = pooler(ramp(4, 4, 8), [torch.tensor([[0.0, 0, 32, 32]])], 8)
    assert pooled.shape == (1, 2, 2, 2)
    torch.testing.assert_close(pooled[0, 0, 0], torch.tensor([8.0, 24.0]))


def test_other_number_of_images_is_refused():
    with pytest.raises(ValueError, match='boxes of 1 images for a batch of 2'):
        RoIPooler()(torch.zeros(2, 1, 2, 2), [torch.zeros(1, 4)], 8)


def test_image_index_and_rois():
    index = image_index([2, 0, 1], torch.device('cpu'))
    assert index.tolist() == [0, 0, 2]
    boxes = [torch.ones(2, 4), torch.zeros(0, 4), torch.full((1, 4), 3.0)]
    rois = boxes_to_rois(boxes, torch.zeros(1))
    assert rois.tolist() == [[0, 1, 1, 1, 1]] * 2 + [[2, 3, 3, 3, 3]]
