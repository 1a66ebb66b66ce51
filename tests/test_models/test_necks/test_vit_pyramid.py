"""Scales of the pyramid."""

import pytest
import torch

from openvocab.models.necks import ViTPyramid


@pytest.mark.parametrize('grid', [(8, 8), (5, 8), (64, 64)])
def test_four_scales_of_one_map(grid):
    maps = ViTPyramid(4)([torch.randn(2, 4, *grid) for _ in range(4)])
    expected = [(4 * grid[0], 4 * grid[1]), (2 * grid[0], 2 * grid[1]), grid]
    expected.append((grid[0] // 2, grid[1] // 2))
    assert [tuple(m.shape[2:]) for m in maps] == expected
    assert all(m.shape[:2] == (2, 4) for m in maps)


def test_the_untouched_tap_is_the_tap_and_the_coarse_one_its_maximum():
    tap = torch.arange(16.0).reshape(1, 1, 4, 4)
    maps = ViTPyramid(1, scales=(1, 0.5))([tap, tap])
    assert maps[0] is tap
    assert maps[1].tolist() == [[[[5.0, 7.0], [13.0, 15.0]]]]


def test_wrong_number_of_taps_and_unknown_scale_are_named():
    with pytest.raises(ValueError, match=r'4 scales.*taps 3 maps'):
        ViTPyramid(4)([torch.randn(1, 4, 2, 2)] * 3)
    with pytest.raises(ValueError, match='scale 3 is none of'):
        ViTPyramid(4, scales=(3,))
