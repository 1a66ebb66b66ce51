import pytest
import torch
import torch.nn.functional as F

from openvocab.models.losses import OVBCELoss
from openvocab.models.losses.ov_bce_loss import IGNORED
from openvocab.registry import MODELS


def one_hot_bce(logits, labels, ignored_as_negative):
    """The textbook form."""
    size = labels.shape[-2:]
    logits = F.interpolate(logits, size, mode='bilinear', align_corners=False)
    valid = (labels != IGNORED)[:, None]
    targets = F.one_hot(labels.clamp(min=0), logits.shape[1]).movedim(-1, 1).float()
    loss = F.binary_cross_entropy_with_logits(logits, targets * valid, reduction='none')
    if ignored_as_negative:
        return loss.mean()
    return (loss * valid).sum() / (valid.sum() * logits.shape[1])


@pytest.mark.parametrize('negative', [True, False])
@pytest.mark.parametrize('chunk', [None, 1, 3, 7, 100])
@pytest.mark.parametrize('size', [(6, 5), (24, 20), (23, 31)])
def test_equals_one_hot_targets(negative, chunk, size):
    torch.manual_seed(0)
    logits = 3 * torch.randn(2, 7, 6, 5, dtype=torch.float64).float()
    labels = torch.randint(-1, 7, (2, *size))
    grads = []
    for function in (
        OVBCELoss(negative, chunk),
        lambda x, y: one_hot_bce(x, y, negative),
    ):
        x = logits.clone().requires_grad_()
        loss = function(x, labels)
        loss.backward()
        grads.append((loss.detach(), x.grad))
    torch.testing.assert_close(grads[0], grads[1])


def test_ignored_pixels():
    logits = torch.randn(1, 4, 8, 8, requires_grad=True)
    nothing = torch.full((1, 8, 8), IGNORED)
    masked = OVBCELoss(ignored_as_negative=False)(logits, nothing)
    masked.backward()
    assert masked == 0 and (logits.grad == 0).all()
    logits.grad = None
    OVBCELoss()(logits, nothing).backward()
    assert (logits.grad > 0).all()


def test_weight_and_registry():
    loss = MODELS.build(dict(type='openvocab.OVBCELoss', loss_weight=3.0))
    logits, labels = torch.randn(1, 2, 4, 4), torch.randint(0, 2, (1, 4, 4))
    torch.testing.assert_close(loss(logits, labels), 3 * OVBCELoss()(logits, labels))


def test_half_precision_logits_are_summed_in_float32():
    logits = torch.randn(1, 3, 16, 16).bfloat16()
    labels = torch.randint(0, 3, (1, 16, 16))
    loss = OVBCELoss()(logits, labels)
    assert loss.dtype == torch.float32
    torch.testing.assert_close(loss, one_hot_bce(logits.float(), labels, True))


@pytest.mark.parametrize('count', [1, 847])
def test_any_number_of_classes(count):
    logits, labels = torch.zeros(1, count, 2, 2), torch.randint(0, count, (1, 4, 4))
    torch.testing.assert_close(OVBCELoss()(logits, labels), torch.tensor(2.0).log())
