from functools import partial
from math import exp, log, log1p

import pytest
import torch
from mmengine.structures import InstanceData

from openvocab.models.losses import mask_set_loss
from openvocab.models.losses.mask_set_loss import MaskSetLoss, class_masks
from openvocab.models.losses.ov_bce_loss import HELD_OUT, IGNORED

POINTS = 50


@pytest.fixture
def _flat_to_the_border(monkeypatch):
    """Points beside the border are mixed with zeros otherwise, as in Mask2Former."""
    sample = partial(mask_set_loss.point_sample, padding_mode='border')
    monkeypatch.setattr(mask_set_loss, 'point_sample', sample)


def sigmoid(x: float) -> float:
    return 1 / (1 + exp(-x))


def bce(x: float, target: int) -> float:
    return log1p(exp(-x if target else x))


def dice(x: float, target: int) -> float:
    """Of a mask that is the same everywhere: at random points as well."""
    share = sigmoid(x) * POINTS
    return 1 - (2 * share * target + 1) / (share + POINTS * target + 1)


def flat_masks(values) -> torch.Tensor:
    return torch.tensor(values)[:, None, None].expand(-1, 4, 6)[None].clone()


def make_target(labels, masks) -> InstanceData:
    return InstanceData(
        labels=torch.tensor(labels, dtype=torch.long),
        masks=torch.tensor(masks, dtype=torch.bool)[:, None, None].expand(-1, 8, 12),
    )


@pytest.mark.usefixtures('_flat_to_the_border')
def test_two_classes_and_three_queries_by_hand():
    """Class 0 fills the image, class 2 has no pixel at the points."""
    logits = [1.5, 1.0, -3.0]  # masks
    scores = [[2.0, 0.0, 2.1, 0.0], [1.9, 0.0, 0.5, 0.0], [0.0, 1.0, 0.0, 3.0]]
    wanted = {0: 1, 2: 0}  # class: everywhere or nowhere

    def probability(query: int, label: int) -> float:
        return exp(scores[query][label]) / sum(exp(s) for s in scores[query])

    def cost(query: int, label: int) -> float:
        x, target = logits[query], wanted[label]
        return 2 * -probability(query, label) + 5 * bce(x, target) + 5 * dice(x, target)

    pairs = [(a, b) for a in range(3) for b in range(3) if a != b]
    best = min(pairs, key=lambda pair: cost(pair[0], 0) + cost(pair[1], 2))
    assert best == (0, 2)

    criterion = MaskSetLoss(num_points=POINTS)
    target = make_target([0, 2], [True, False])
    query, index = criterion.match(torch.tensor(scores), flat_masks(logits)[0], target)
    assert {(int(q), [0, 2][i]) for q, i in zip(query, index, strict=True)} == {
        (best[0], 0),
        (best[1], 2),
    }
    losses = criterion(torch.tensor([scores]), flat_masks(logits), [target])

    labels = [3, 3, 3]
    labels[best[0]], labels[best[1]] = 0, 2
    weights = [0.1 if label == 3 else 1.0 for label in labels]
    cross = [-log(probability(q, label)) for q, label in enumerate(labels)]
    expected = dict(
        loss_cls=2 * sum(w * c for w, c in zip(weights, cross, strict=True))
        / sum(weights),
        loss_mask=5 * (bce(logits[best[0]], 1) + bce(logits[best[1]], 0)) / 2,
        loss_dice=5 * (dice(logits[best[0]], 1) + dice(logits[best[1]], 0)) / 2,
    )  # fmt: skip
    assert losses.keys() == expected.keys()
    for name, value in expected.items():
        assert losses[name].item() == pytest.approx(value, rel=1e-4), name


def test_the_match_is_the_cheapest_in_total_not_one_by_one():
    """Both classes like query 0 best; class 1 can only use that one."""
    scores = torch.tensor([[3.0, 3.0, 0.0], [2.5, -5.0, 0.0]])
    target = make_target([0, 1], [True, True])
    match = MaskSetLoss(num_points=POINTS).match(
        scores, flat_masks([1.0, 1.0])[0], target
    )
    assert [m.tolist() for m in match] == [[0, 1], [1, 0]]


def test_masks_are_compared_in_the_same_frame():
    """The matched query is the one whose half of the image is the class's."""
    masks = torch.full((1, 2, 4, 6), -8.0)
    masks[0, 0, :, 3:] = masks[0, 1, :, :3] = 8.0
    labels = torch.zeros(32, 48, dtype=torch.long)
    labels[:, 24:] = 1
    target = class_masks(labels, 2)
    criterion = MaskSetLoss(num_points=2000)
    query, index = criterion.match(torch.zeros(2, 3), masks[0], target)
    assert (query.tolist(), index.tolist()) == ([0, 1], [1, 0])
    losses = criterion(torch.zeros(1, 2, 3), masks, [target])
    assert losses['loss_dice'] < 1


def test_an_empty_image_teaches_no_object():
    scores = torch.randn(2, 5, 4, requires_grad=True)
    masks = torch.randn(2, 5, 4, 6, requires_grad=True)
    empty = class_masks(torch.full((8, 12), IGNORED), 3)
    assert empty.masks.shape == (0, 8, 12)
    losses = MaskSetLoss(num_points=POINTS)(scores, masks, [empty, empty])
    assert losses['loss_mask'] == 0 and losses['loss_dice'] == 0
    expected = -2 * scores.log_softmax(-1)[..., -1].mean()
    torch.testing.assert_close(losses['loss_cls'], expected)
    sum(losses.values()).backward()
    assert not masks.grad.any() and scores.grad.isfinite().all()


@pytest.mark.usefixtures('_flat_to_the_border')
def test_an_empty_image_beside_another_changes_no_mask_loss():
    masks, target = flat_masks([1.0, -1.0]), make_target([0], [True])
    empty = make_target([], [])
    empty.masks = empty.masks.reshape(0, 8, 12)
    criterion = MaskSetLoss(num_points=POINTS)
    alone = criterion(torch.zeros(1, 2, 3), masks, [target])
    both = criterion(torch.zeros(2, 2, 3), masks.repeat(2, 1, 1, 1), [empty, target])
    for name in ('loss_mask', 'loss_dice'):
        torch.testing.assert_close(alone[name], both[name])


def test_more_classes_than_queries():
    target = make_target([0, 1, 2], [True, True, False])
    losses = MaskSetLoss(num_points=POINTS)(
        torch.zeros(1, 2, 4), flat_masks([1.0, -1.0]), [target]
    )
    assert all(loss.isfinite() for loss in losses.values())


def test_masks_of_a_label_map():
    labels = [[255, 700, 255, HELD_OUT], [IGNORED, 0, 255, HELD_OUT]]
    target = class_masks(torch.tensor(labels), 847)
    assert target.labels.tolist() == [0, 255, 700]
    assert target.masks.nonzero().tolist() == [
        [0, 1, 1],
        *([1, 0, 0], [1, 0, 2], [1, 1, 2]),
        [2, 0, 1],
    ]


@pytest.mark.parametrize('label', [3, 254, -3])
def test_a_label_without_a_class_is_refused(label):
    """K itself would pass for "no object"."""
    with pytest.raises(ValueError, match=rf'none of the 3 classes .*row {label}\)'):
        class_masks(torch.tensor([[0, label]]), 3)


def test_half_precision_is_left():
    scores, masks = torch.randn(1, 4, 3).bfloat16(), torch.randn(1, 4, 4, 6).bfloat16()
    target = make_target([0], [True])
    with torch.autocast('cpu', torch.bfloat16):
        losses = MaskSetLoss(num_points=POINTS)(scores, masks, [target])
    assert {loss.dtype for loss in losses.values()} == {torch.float32}
