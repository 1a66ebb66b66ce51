import weakref

import torch

from openvocab.models.backbones.towers.base import SizeCache


def ramp(rows: int, columns: int) -> torch.Tensor:
    """Table with one prefix row; channels are the row and the column index."""
    grid = torch.meshgrid(
        torch.arange(float(rows)), torch.arange(float(columns)), indexing='ij'
    )
    table = torch.stack(grid, dim=-1).reshape(-1, 2)
    return torch.cat([torch.full((1, 2), -7.0), table])


def test_native_grid_is_the_table_itself():
    table = ramp(4, 4)
    assert SizeCache().position_table(table, (4, 4), (4, 4)) is table


def test_each_axis_is_resized_by_its_own_factor():
    out = SizeCache().position_table(ramp(4, 4), (8, 2), (4, 4))
    assert out.shape == (1 + 16, 2)
    assert out[0].tolist() == [-7.0, -7.0]  # prefix rows are kept
    rows, columns = out[1:].reshape(8, 2, 2).unbind(-1)
    torch.testing.assert_close(rows[:, 0], rows[:, 1])
    torch.testing.assert_close(columns[0], columns[5])
    assert (rows[:, 0].diff() > 0).all() and (columns[0].diff() > 0).all()
    # pixel centres: new index i lies at (i + .5) / 2 - .5 of the old rows
    torch.testing.assert_close(rows[3, 0], torch.tensor(1.25), atol=0.05, rtol=0)


def test_a_non_square_table():
    out = SizeCache().position_table(ramp(2, 6), (4, 3), (2, 6))
    assert out.shape == (13, 2)
    assert out[1:, 1].max() > out[1:, 0].max()


def test_shrinking_is_not_antialiased():
    table = torch.zeros(1 + 64, 1)
    table[1 + 4 * 8 + 4] = 1.0  # bicubic reads 4 x 4 neighbours, antialiasing 16 x 16
    out = SizeCache().position_table(table, (2, 2), (8, 8))
    assert out[4].abs() > 0 and out[:4].abs().max() == 0


def test_entries_follow_the_table():
    cache, table = SizeCache(), ramp(4, 4)
    first = cache.position_table(table, (2, 3), (4, 4))
    assert cache.position_table(table, (2, 3), (4, 4)) is first
    table.mul_(2)
    doubled = cache.position_table(table, (2, 3), (4, 4))
    torch.testing.assert_close(doubled, 2 * first)
    other = cache.position_table(table.clone() + 1, (2, 3), (4, 4))
    torch.testing.assert_close(other, doubled + 1)


def test_a_trainable_table_gets_its_gradient():
    table = ramp(4, 4).requires_grad_()
    SizeCache().position_table(table, (3, 5), (4, 4)).sum().backward()
    assert table.grad.abs().sum() > 0


def test_entries_made_in_inference_mode_can_be_trained_with():
    cache, table = SizeCache(), ramp(4, 4)
    with torch.inference_mode():
        cache.position_table(table, (3, 3), (4, 4))
    factor = torch.ones(1, requires_grad=True)
    (factor * cache.position_table(table, (3, 3), (4, 4))).sum().backward()
    assert factor.grad is not None


def test_the_grids_used_last_are_kept():
    cache, table = SizeCache(size=3), torch.zeros(2)
    made = []

    def use(rows):
        def make():
            made.append(rows)
            return torch.zeros(rows)

        return cache.table((rows, 1), table, make)

    for rows in (1, 2, 3, 1, 4, 1, 3, 4):
        assert len(use(rows)) == rows
    assert made == [1, 2, 3, 4]
    use(2)
    use(1)  # the oldest when 2 came back
    assert made == [1, 2, 3, 4, 2, 1]


def test_by_default_not_every_grid_of_a_data_set_is_kept():
    cache, table, kept = SizeCache(), ramp(4, 4), []
    for columns in range(5, 105):
        kept.append(weakref.ref(cache.position_table(table, (4, columns), (4, 4))))
    assert sum(entry() is not None for entry in kept) <= 32
