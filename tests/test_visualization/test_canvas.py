import numpy as np
import pytest

from openvocab.visualization.canvas import fit_to_width, put_label, tile, title_bar


def test_tile_places_cells_by_row_and_column():
    cells = [np.full((4, 6, 3), value, np.uint8) for value in (10, 20, 30)]
    sheet = tile([cells[:2], cells[2:]], gap=2)
    assert sheet.shape == (10, 14, 3)
    assert (sheet[:4, :6] == 10).all()
    assert (sheet[:4, 8:] == 20).all()
    assert (sheet[6:, :6] == 30).all()
    assert (sheet[4:6] == 255).all() and (sheet[6:, 8:] == 255).all()
    assert tile([cells[:2]], ['a', 'b']).shape[0] > 4
    with pytest.raises(ValueError, match='one size'):
        tile([[cells[0], cells[0][:2]]])


def test_fit_to_width_keeps_the_ratio():
    image = np.zeros((30, 50, 3), np.uint8)
    assert fit_to_width(image, 100).shape == (60, 100, 3)
    assert fit_to_width(image, 25).shape == (15, 25, 3)
    assert fit_to_width(np.zeros((1, 500, 3), np.uint8), 50).shape == (1, 50, 3)


def test_label_stays_inside_and_long_titles_shrink():
    image = np.zeros((40, 120, 3), np.uint8)
    put_label(image, 'sky', (500, 500), (0, 200, 0))
    ys, xs = np.nonzero(image[..., 1] == 200)
    assert len(ys) and xs.max() < 120 and ys.max() < 40
    assert not image[:10, :40].any()
    bar = title_bar('a title much longer than its column is wide', 100)
    assert bar.shape == (28, 100, 3)
    assert (bar[:, :2] == 255).all() and (bar[:, -2:] == 255).all()
    assert (bar < 128).any()
