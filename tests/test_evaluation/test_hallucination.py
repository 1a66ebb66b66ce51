import numpy as np
import pytest

from openvocab.evaluation.hallucination import hallucinated_share


def image(right, predicted, labelled):
    return np.array([right, predicted, labelled])


def test_hand_computed():
    images = [
        # one of three predicted classes has no label; the size of its area has no say
        image([1, 0, 2], [1, 9, 3], [2, 0, 3]),
        # missing a class is no hallucination
        image([1, 0], [2, 0], [1, 1]),
        # all wrong
        image([0, 0, 0], [0, 1, 3], [4, 0, 0]),
        # no label: does not count
        image([0], [0], [0]),
    ]
    share = hallucinated_share(images)
    assert share == pytest.approx((100 / 3 + 0 + 100) / 3)
    assert type(share) is float


def test_no_labels():
    assert hallucinated_share([image([0, 0], [0, 0], [0, 0])]) is None
    assert hallucinated_share([]) is None
