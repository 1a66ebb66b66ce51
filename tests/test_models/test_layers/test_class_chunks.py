import pytest
import torch

from openvocab.models.layers import ClassChunks


@torch.no_grad()
@pytest.mark.parametrize('max_maps, sizes', [(None, [7]), (4, [2, 2, 2, 1]), (1, None)])
def test_no_more_maps_than_allowed(max_maps, sizes):
    seen = []

    def double(x, other, shared):
        seen.append(x.shape[1])
        return 2 * x + other * shared

    x, other = torch.randn(2, 7, 3), torch.randn(1, 7, 3)
    expected = 2 * x + other * 5
    got = ClassChunks(max_maps).run(double, x.clone(), 5, along=[other])
    torch.testing.assert_close(got, expected)
    assert seen == (sizes or [1] * 7)


def test_with_gradients_all_at_once_unless_recomputed():
    x = torch.randn(1, 6, 2, requires_grad=True)
    assert len(list(ClassChunks(2).slices(x))) == 1
    chunks = ClassChunks(2, recompute=True)
    assert len(list(chunks.slices(x))) == 3
    before = x.detach().clone()
    chunks.run(lambda part: part**3, x).sum().backward()
    torch.testing.assert_close(x.grad, 3 * before**2)
    assert torch.equal(x.detach(), before)


@torch.no_grad()
def test_memory_is_reused_where_sizes_agree():
    x = torch.randn(1, 6, 2)
    assert ClassChunks(2).run(lambda part: part + 1, x).data_ptr() == x.data_ptr()
    wider = ClassChunks(2).run(lambda part: part.repeat(1, 1, 2), x)
    assert wider.shape == (1, 6, 4)
