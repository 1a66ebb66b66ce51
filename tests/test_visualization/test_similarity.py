import numpy as np
import pytest
import torch
from torch.nn import functional as F

from openvocab.visualization import (
    heat_overlay,
    similarity_figure,
    similarity_maps,
)


def test_cosine_of_every_token():
    features, rows = torch.randn(5, 3, 4) * 7, torch.randn(2, 5) * 3
    maps = similarity_maps(features, rows)
    for k in range(2):
        for y in range(3):
            for x in range(4):
                cosine = F.cosine_similarity(features[:, y, x], rows[k], dim=0)
                torch.testing.assert_close(maps[k, y, x], cosine)


def test_hot_is_red_and_cold_is_blue():
    image = np.full((60, 90, 3), 100, np.uint8)
    similarity = np.zeros((6, 9), np.float32)
    similarity[1, 7] = 0.3
    picture = heat_overlay(image, similarity)
    hot, cold = picture[15, 75].astype(int), picture[30, 5].astype(int)
    assert hot[2] > hot[0] and cold[0] > cold[2]
    assert heat_overlay(image, np.zeros((6, 9), np.float32)).shape == image.shape


def test_figure_has_a_row_per_class_and_a_column_per_encoder():
    image = np.zeros((30, 50, 3), np.uint8)
    maps = [torch.rand(3, 4, 5), torch.rand(3, 2, 3)]
    figure = similarity_figure(image, ['a', 'b', 'c'], ['x', 'y'], maps, cell_width=100)
    assert figure.shape[1] == 3 * 100 + 2 * 4
    assert figure.shape[0] == 28 + 3 * (60 + 4)
    with pytest.raises(ValueError, match='2 classes'):
        similarity_figure(image, ['a', 'b'], ['x', 'y'], maps)
