import pytest
import torch

from openvocab.models.losses import CosineDistillLoss


def test_hand_computed():
    student = torch.tensor([[2.0, 0], [0, 3], [1, 1]], requires_grad=True)
    teacher = torch.tensor([[1.0, 0], [5, 0], [-1, -1]])
    loss = CosineDistillLoss()
    assert loss(student, teacher)['loss_distill'].item() == pytest.approx(1.0)
    valid = torch.tensor([True, True, False])
    out = loss(student, teacher, valid)['loss_distill']
    assert out.item() == pytest.approx(0.5)
    out.backward()
    assert not student.grad[2].any() and student.grad[1].any()


@pytest.mark.parametrize('regions', [0, 3])
def test_nothing_valid_is_an_exact_differentiable_zero(regions):
    student = torch.randn(regions, 4, requires_grad=True)
    valid = torch.zeros(regions, dtype=torch.bool)
    out = CosineDistillLoss()(student, torch.randn(regions, 4), valid)['loss_distill']
    assert out.item() == 0
    out.backward()
    assert torch.equal(student.grad, torch.zeros(regions, 4))


def test_invalid_crop_of_zeros_gives_finite_gradients():
    student = torch.randn(2, 4, requires_grad=True)
    teacher = torch.stack((torch.zeros(4), torch.ones(4)))
    valid = torch.tensor([False, True])
    CosineDistillLoss(2.0)(student, teacher, valid)['loss_distill'].backward()
    assert torch.isfinite(student.grad).all()


def test_other_width_is_refused():
    with pytest.raises(ValueError, match='same joint space'):
        CosineDistillLoss()(torch.zeros(2, 4), torch.zeros(2, 5))
