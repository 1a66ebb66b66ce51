import pytest
import torch

from openvocab.models.poolers import MaskPooler, segment_map_to_token_masks


def test_equals_a_loop_over_masks():
    torch.manual_seed(0)
    features = torch.randn(3, 4, 5, 7)
    masks = [torch.rand(n, 5, 7) > 0.6 for n in (3, 0, 1)]
    expected = [
        features[i][:, mask].mean(1) for i, rows in enumerate(masks) for mask in rows
    ]
    torch.testing.assert_close(MaskPooler()(features, masks), torch.stack(expected))


def test_empty_mask_is_zero_and_differentiable():
    features = torch.randn(1, 4, 3, 2, requires_grad=True)
    masks = torch.zeros(2, 3, 2, dtype=torch.bool)
    masks[1, 0, 0] = True
    pooled = MaskPooler()(features, [masks])
    assert not pooled[0].any()
    torch.testing.assert_close(pooled[1], features[0, :, 0, 0])
    pooled.sum().backward()
    assert torch.isfinite(features.grad).all()


def test_batch_without_regions():
    empty = torch.zeros(0, 3, 2, dtype=torch.bool)
    assert MaskPooler()(torch.randn(2, 4, 3, 2), [empty, empty]).shape == (0, 4)


def test_other_grid_is_refused():
    with pytest.raises(ValueError, match='one \\(N, h, w\\) tensor per image'):
        MaskPooler()(torch.zeros(1, 4, 3, 2), [torch.zeros(1, 2, 3)])


def loop_masks(segment_map: torch.Tensor, count: int, grid: tuple) -> torch.Tensor:
    (height, width), (h, w) = segment_map.shape, grid
    masks = torch.zeros(count, h, w, dtype=torch.bool)
    for y in range(height):
        for x in range(width):
            value = int(segment_map[y, x])
            if value:
                masks[value - 1, y * h // height, x * w // width] = True
    return masks


@pytest.mark.parametrize('grid', [(3, 5), (2, 2), (4, 3), (12, 20)])
def test_token_masks_equal_a_loop(grid):
    torch.manual_seed(0)
    segment_map = torch.randint(0, 5, (12, 20), dtype=torch.int32)
    segment_map[:, 6:] = 0
    masks = segment_map_to_token_masks(segment_map, 6, grid)
    assert masks.dtype == torch.bool
    assert torch.equal(masks, loop_masks(segment_map, 6, grid))
    assert not masks[5].any()  # a segment without pixels


def test_one_pixel_makes_a_token_and_neighbours_share_it():
    segment_map = torch.zeros(8, 8, dtype=torch.int32)
    segment_map[0, 0], segment_map[3, 3] = 1, 2
    masks = segment_map_to_token_masks(segment_map, 2, (2, 2))
    expected = torch.tensor([[True, False], [False, False]])
    assert torch.equal(masks, expected.expand(2, 2, 2))


def test_no_segment():
    masks = segment_map_to_token_masks(torch.zeros(4, 4), 0, (2, 2))
    assert masks.shape == (0, 2, 2)
