import math

import pytest
import torch
from torch.nn import functional as F

from openvocab.models.losses import ContextDistillLoss
from openvocab.testing import LargestTensor


def tokens(*shape, seed=0):
    return torch.randn(shape, generator=torch.Generator().manual_seed(seed)).double()


def plain(student, teacher, valid=None, row=torch.linalg.vector_norm):
    """The loss by loops: image after image, row after row, entry after entry."""
    values = []
    for b in range(len(teacher)):
        keep = range(teacher.shape[1]) if valid is None else valid[b].nonzero()[:, 0]
        for i in keep:
            gaps = []
            for j in keep:
                ours = [F.cosine_similarity(p[b, i], p[b, j], 0) for p in student]
                theirs = F.cosine_similarity(teacher[b, i], teacher[b, j], 0)
                gaps.append(theirs - sum(ours) / len(ours))
            values.append(row(torch.stack(gaps)))
    return torch.stack(values).mean()


def test_two_tokens_by_hand():
    """Teacher: orthogonal tokens. Student: 60 degrees. Both rows differ by 0 and .5."""
    teacher = torch.tensor([[[1.0, 0.0], [0.0, 3.0]]])
    student = torch.tensor([[[2.0, 0.0], [0.5, math.sqrt(0.75)]]])
    loss = ContextDistillLoss(loss_weight=0.1)([student], teacher)['loss_context']
    assert loss.item() == pytest.approx(0.1 * 0.5)
    square = ContextDistillLoss(dict(type='openvocab.RowMeanSquare'), 1.0)
    assert square([student], teacher)['loss_context'].item() == pytest.approx(0.125)
    smooth = ContextDistillLoss(dict(type='openvocab.RowSmoothL1', beta=0.2), 1.0)
    expected = (0.5 - 0.1) / 2
    assert smooth([student], teacher)['loss_context'].item() == pytest.approx(expected)


@pytest.mark.parametrize('masked', [False, True])
@pytest.mark.parametrize('projections', [1, 2, 3])
def test_equals_loops(masked, projections):
    student = [tokens(2, 7, 5, seed=s) for s in range(projections)]
    teacher = tokens(2, 7, 4, seed=9)
    valid = torch.ones(2, 7, dtype=torch.bool)
    valid[0, 5:], valid[1, 2] = False, False
    valid = valid if masked else None
    loss = ContextDistillLoss(loss_weight=1.0)(student, teacher, valid)
    torch.testing.assert_close(loss['loss_context'], plain(student, teacher, valid))


@pytest.mark.parametrize('entries', [1, 30, 60, 10**6])
@pytest.mark.parametrize('distance', ['RowNorm', 'RowMeanSquare', 'RowSmoothL1'])
def test_chunks_change_nothing(entries, distance):
    student, teacher = tokens(3, 10, 4).requires_grad_(), tokens(3, 10, 6, seed=1)
    valid = torch.rand(3, 10, generator=torch.Generator().manual_seed(0)) < 0.7
    results = []
    for size in (2**24, entries):
        loss = ContextDistillLoss(
            dict(type=f'openvocab.{distance}'), chunk_entries=size
        )
        value = loss([student], teacher, valid)['loss_context']
        (gradient,) = torch.autograd.grad(value, student)
        results.append((value, gradient))
    torch.testing.assert_close(results[0], results[1])


def test_length_of_tokens_and_a_mask_of_ones_change_nothing():
    student, teacher = tokens(2, 6, 4), tokens(2, 6, 3, seed=1)
    loss = ContextDistillLoss()
    value = loss([student], teacher)['loss_context']
    lengths = tokens(2, 6, 1, seed=2).abs() + 0.1
    longer = loss([student * lengths], teacher / lengths)['loss_context']
    torch.testing.assert_close(longer, value)
    ones = torch.ones(2, 6, dtype=torch.bool)
    assert torch.equal(loss([student], teacher, ones)['loss_context'], value)


def test_what_is_masked_has_no_influence_and_no_gradient():
    student, teacher = tokens(2, 6, 4).requires_grad_(), tokens(2, 6, 3, seed=1)
    valid = torch.ones(2, 6, dtype=torch.bool)
    valid[1, 3:] = False
    value = ContextDistillLoss()([student], teacher, valid)['loss_context']
    value.backward()
    assert not student.grad[1, 3:].any() and student.grad[1, :3].abs().min() > 0
    other = teacher.clone()
    other[1, 3:] = tokens(3, 3, seed=5)
    again = ContextDistillLoss()([student], other, valid)['loss_context']
    torch.testing.assert_close(again, value)


def test_a_perfect_student_has_a_finite_gradient():
    teacher = tokens(1, 5, 4)
    student = (teacher * 2).clone().requires_grad_()
    loss = ContextDistillLoss()([student], teacher)['loss_context']
    loss.backward()
    assert loss.item() < 1e-12 and torch.isfinite(student.grad).all()


def test_no_valid_token_is_an_exact_zero():
    student, teacher = tokens(1, 4, 3).requires_grad_(), tokens(1, 4, 3, seed=1)
    valid = torch.zeros(1, 4, dtype=torch.bool)
    loss = ContextDistillLoss()([student], teacher, valid)['loss_context']
    loss.backward()
    assert loss.item() == 0 and not student.grad.any()


def test_autocast_does_not_round():
    student, teacher = tokens(2, 6, 4).float(), tokens(2, 6, 3, seed=1).float()
    loss = ContextDistillLoss()
    full = loss([student], teacher)['loss_context']
    with torch.autocast('cpu', dtype=torch.bfloat16):
        inside = loss([student], teacher)['loss_context']
    assert inside.dtype == torch.float32 and torch.equal(inside, full)


def test_4096_tokens_stay_within_the_stated_memory():
    entries = 2**17
    loss = ContextDistillLoss(chunk_entries=entries)
    student, teacher = (
        tokens(1, 4096, 8).float().requires_grad_(),
        tokens(1, 4096, 8, seed=1),
    )
    with LargestTensor() as seen:
        loss([student], teacher.float())['loss_context'].backward()
    assert student.grad.abs().sum() > 0
    assert seen.entries <= entries


def test_refusals():
    loss, teacher = ContextDistillLoss(), torch.zeros(2, 6, 3)
    with pytest.raises(ValueError, match='needs equal grids'):
        loss([torch.zeros(2, 5, 3)], teacher)
    with pytest.raises(ValueError, match='valid has shape'):
        loss([torch.zeros(2, 6, 3)], teacher, torch.ones(2, 5, dtype=torch.bool))
    with pytest.raises(ValueError, match='no projection'):
        loss([], teacher)
    with pytest.raises(ValueError, match='chunk_entries'):
        ContextDistillLoss(chunk_entries=0)
    with pytest.raises(ValueError, match='beta must be positive'):
        ContextDistillLoss(dict(type='openvocab.RowSmoothL1', beta=0))
