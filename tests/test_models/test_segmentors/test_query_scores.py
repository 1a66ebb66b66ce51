"""Classes of several queries: tiles, ties, extreme scales, memory."""

import pytest
import torch

from openvocab.models.segmentors.class_scores import WholeScores
from openvocab.models.segmentors.query_scores import QueryScores

SIZE = (13, 9)


def cosines(queries=10, size=(5, 4)):
    return WholeScores(torch.rand(queries, *size) * 2 - 1, lambda logits: logits)


def plain(scores, class_of, scale):
    probabilities = (scale * scores.at(slice(None), SIZE)).softmax(0)
    classes = range(int(class_of.max()) + 1)
    return torch.stack([probabilities[class_of == k].amax(0) for k in classes])


@pytest.mark.parametrize('scale', [1.0, 40.0, 1000.0])
@pytest.mark.parametrize('tile', [1, 3 * 13 * 9, 10**9])
def test_tiles_change_nothing(scale, tile):
    class_of = torch.tensor([0, 0, 1, 2, 2, 2, 2, 3, 4, 4])
    inner = cosines()
    scores = QueryScores(inner, class_of, scale)
    expected = plain(inner, class_of, scale)
    found = scores.label_map(SIZE, tile)
    assert torch.equal(found.labels, expected.argmax(0))
    # float32 logits of 1000 are exact to 1e-4
    close = dict(rtol=0, atol=max(1e-5, scale * 1e-7))
    torch.testing.assert_close(found.scores, expected.amax(0), **close)
    torch.testing.assert_close(scores.at(slice(1, 4), SIZE), expected[1:4], **close)
    assert scores.num_classes == 5 and scores.canvas == (5, 4)


def test_without_probabilities_scores_are_cosines():
    inner, class_of = cosines(), torch.arange(10)
    found = QueryScores(inner, class_of, 40.0, with_probabilities=False).label_map(SIZE)
    best = inner.label_map(SIZE)
    assert torch.equal(found.labels, best.labels)
    assert torch.equal(found.scores, best.scores)


def test_equal_queries_give_the_first_class():
    inner = WholeScores(torch.zeros(6, *SIZE), lambda logits: logits)
    class_of = torch.tensor([0, 0, 1, 1, 2, 2])
    found = QueryScores(inner, class_of, 40.0).label_map(SIZE, tile=1)
    assert (found.labels == 0).all()
    torch.testing.assert_close(found.scores, torch.full(SIZE, 1 / 6))


def test_small_areas_go_to_the_next_best():
    # Class 1 is best on 8 of 10 pixels, class 2 on 2; class 3 is second best on those.
    maps = torch.zeros(4, 1, 10)
    maps[1, 0, :8], maps[2, 0, 8:], maps[3, 0, 8:] = 1.0, 1.0, 0.5
    inner = WholeScores(maps, lambda logits: logits)
    labels = {}
    for threshold in (0.1, 0.2, 0.8):
        scores = QueryScores(inner, torch.arange(4), 5.0, threshold, background=0)
        labels[threshold] = scores.label_map((1, 10)).labels[0].tolist()
    assert labels[0.1] == [1] * 8 + [2] * 2
    # Class 3 covers nothing, so that it is left out as well: all are equal there.
    assert labels[0.2] == [1] * 8 + [0] * 2
    assert labels[0.8] == [0] * 10
    found = QueryScores(inner, torch.arange(4), 5.0, 0.2, background=0).label_map(
        (1, 10)
    )
    expected = (5 * maps[:, 0]).softmax(0)
    torch.testing.assert_close(found.scores[0, :8], expected[1, :8])
    torch.testing.assert_close(found.scores[0, 8:], expected[0, 8:])


def test_the_background_is_never_too_small():
    maps = torch.zeros(3, 1, 100)
    maps[1, 0, 1:], maps[2, 0, 0] = 1.0, 1.0
    inner = WholeScores(maps, lambda logits: logits)
    scores = QueryScores(inner, torch.arange(3), 5.0, area_thd=0.5, background=2)
    assert scores.label_map((1, 100)).labels[0].tolist() == [2] + [1] * 99


@pytest.mark.parametrize('options', [{}, dict(area_thd=0.01, background=0)])
def test_no_more_scores_than_a_tile_exist_at_once(options):
    inner = cosines(300, (4, 4))
    plain_at, counts = inner.at, []

    def counted(queries, size):
        counts.append(plain_at(queries, size).numel())
        return plain_at(queries, size)

    inner.at = counted
    scores = QueryScores(inner, torch.arange(300), 40.0, **options)
    scores.label_map((64, 64), tile=2**15)
    assert max(counts) <= 2**15
