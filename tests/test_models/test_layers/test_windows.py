import pytest
import torch

from openvocab.models.layers import WindowPlan

GRIDS = [(24, 24), (8, 12), (5, 7), (1, 1), (3, 20), (13, 13), (12, 11)]


@pytest.mark.parametrize('grid', GRIDS)
@pytest.mark.parametrize('shifted', [False, True])
@pytest.mark.parametrize('window', [1, 4, 12])
def test_join_undoes_cut(grid, shifted, window):
    plan = WindowPlan(grid, window, shifted)
    maps = torch.randn(2, *grid, 3)
    windows = plan.cut(maps)
    assert windows.shape[2] <= window**2
    assert torch.equal(plan.join(windows), maps)


@pytest.mark.parametrize('grid', GRIDS)
@pytest.mark.parametrize('shifted', [False, True])
def test_tokens_attend_to_near_real_tokens_only(grid, shifted):
    plan = WindowPlan(grid, 4, shifted)
    places = torch.cartesian_prod(*(torch.arange(1, side + 1) for side in grid))
    places = plan.cut(places.reshape(1, *grid, 2))[0]  # padding is at (0, 0)
    mask = plan.mask(places.device)
    if mask is None:
        mask = torch.ones(len(places), *[places.shape[1]] * 2, dtype=torch.bool)
    assert mask.any(-1).all()
    real = (places > 0).all(-1)
    distance = (places[:, :, None] - places[:, None]).abs().amax(-1)
    seen = mask & real[:, :, None]
    assert (seen.sum(-1)[real] >= 1).all()
    assert not (seen & ~real[:, None]).any()
    assert distance[seen].max() < 4


def test_published_grid_needs_no_padding():
    plan = WindowPlan((24, 24), 12, True)
    assert plan.shift == (6, 6) and plan.padding == (0, 0) and plan.count == (2, 2)
    assert plan.mask(torch.device('cpu')).shape == (4, 144, 144)
    assert WindowPlan((24, 24), 12, False).mask(torch.device('cpu')) is None
    assert WindowPlan((12, 12), 12, True).mask(torch.device('cpu')) is None
