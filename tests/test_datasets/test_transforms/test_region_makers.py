import numpy as np
import pytest

from openvocab.datasets import BoundedGridRegions, GridRegions, ProposalRegions
from openvocab.datasets.transforms.grid_regions import grid_boxes


def resized(height, width, ori_height, ori_width, **extra):
    scale = (width / ori_width, height / ori_height)
    return dict(
        img_path='x.jpg',
        ori_shape=(ori_height, ori_width),
        # mmcv's Pad writes the padded shape here; nothing may rely on it.
        img_shape=(512, 512),
        scale_factor=scale,
        **extra,
    )


def test_grid_boxes_are_row_major():
    assert grid_boxes(2, 3, (10, 12)).tolist() == [
        [0, 0, 4, 5],
        [4, 0, 8, 5],
        [8, 0, 12, 5],
        [0, 5, 4, 10],
        [4, 5, 8, 10],
        [8, 5, 12, 10],
    ]


@pytest.mark.parametrize('shape', [(384, 512, 480, 640), (511, 77, 333, 50)])
def test_cells_tile_the_unpadded_image(shape):
    np.random.seed(0)
    for _ in range(20):
        boxes = GridRegions(1, 6).transform(resized(*shape))['regions']['bboxes']
        height, width = shape[:2]
        areas = (boxes[:, 2:] - boxes[:, :2]).prod(axis=1)
        assert boxes.dtype == np.float32
        assert boxes.min() == 0
        assert boxes[:, 2].max() == width and boxes[:, 3].max() == height
        np.testing.assert_allclose(areas.sum(), height * width, rtol=1e-4)
        np.testing.assert_allclose(areas, areas[0], rtol=1e-3)


def test_rules():
    assert GridRegions(2, 3).grids == [(2, 2), (2, 3), (3, 2), (3, 3)]
    assert len(GridRegions().grids) == 25
    # DenseVLM's code: n in ceil(m / 2) + 1 .. min(2 m, 6).
    assert BoundedGridRegions(2, 6).grids == [
        *[(2, n) for n in (2, 3, 4)],
        *[(3, n) for n in (3, 4, 5, 6)],
        *[(4, n) for n in (3, 4, 5, 6)],
        *[(5, n) for n in (4, 5, 6)],
        *[(6, n) for n in (4, 5, 6)],
    ]
    assert BoundedGridRegions(1, 2).grids == [(1, 1), (1, 2), (2, 1), (2, 2)]


def test_grid_is_shuffled_limited_and_seeded():
    transform = GridRegions(6, 6, max_regions=20)
    np.random.seed(3)
    first = transform.transform(resized(60, 60, 60, 60))['regions']['bboxes']
    np.random.seed(3)
    again = transform.transform(resized(60, 60, 60, 60))['regions']['bboxes']
    assert first.shape == (20, 4)
    np.testing.assert_array_equal(first, again)
    assert not np.array_equal(first, grid_boxes(6, 6, (60, 60))[:20])


def test_bad_grid_is_refused():
    with pytest.raises(ValueError, match='min_cells_per_side'):
        GridRegions(3, 2)
    with pytest.raises(ValueError, match='max_regions'):
        GridRegions(max_regions=0)


def test_proposals_are_filtered_in_the_original_and_scaled():
    proposals = np.array(
        [
            [10, 20, 30, 40, 1],  # kept: 400 px
            [0, 0, 7, 9, 1],  # 63 px: too small
            [90, 90, 120, 130, 1],  # clipped to 10 x 10
            [100, 0, 120, 30, 1],  # outside
        ],
        dtype=np.float32,
    )
    results = resized(50, 50, 100, 100, proposals=proposals)
    boxes = ProposalRegions().transform(results)['regions']['bboxes']
    assert sorted(boxes.tolist()) == [[5, 10, 15, 20], [45, 45, 50, 50]]


def test_number_of_proposals_is_limited():
    proposals = np.tile(np.float32([[0, 0, 50, 50, 1]]), (30, 1))
    results = resized(100, 100, 100, 100, proposals=proposals)
    assert len(ProposalRegions(20).transform(results)['regions']['bboxes']) == 20


def test_without_proposals():
    nothing = resized(50, 50, 100, 100, proposals=np.zeros((0, 5), np.float32))
    with pytest.raises(ValueError, match=r'x\.jpg has no proposal'):
        ProposalRegions().transform(dict(nothing))
    fallback = ProposalRegions(
        fallback=dict(
            type='openvocab.GridRegions', min_cells_per_side=2, max_cells_per_side=2
        )
    )
    assert len(fallback.transform(dict(nothing))['regions']['bboxes']) == 4
    with pytest.raises(KeyError, match='proposals_file'):
        ProposalRegions().transform(resized(50, 50, 100, 100))
