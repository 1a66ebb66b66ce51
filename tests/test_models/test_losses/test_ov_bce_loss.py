import pytest
import torch
import torch.nn.functional as F

from openvocab.models.losses import OVBCELoss, global_count
from openvocab.models.losses.ov_bce_loss import HELD_OUT, IGNORED
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


@pytest.mark.parametrize('negative', [True, False])
@pytest.mark.parametrize('chunk', [None, 2])
def test_no_loss_looks_at_pixels_of_held_out_classes(negative, chunk):
    torch.manual_seed(0)
    logits = torch.randn(2, 4, 6, 8, requires_grad=True)
    labels = torch.randint(-1, 4, (2, 6, 8))
    labels[:, :, 3:] = HELD_OUT
    loss = OVBCELoss(negative, chunk)
    value = loss(logits, labels)
    value.backward()
    assert (logits.grad[..., 3:] == 0).all() and (logits.grad[..., :3] != 0).any()
    seen = loss(logits[..., :3].detach(), labels[..., :3].contiguous())
    torch.testing.assert_close(value.detach(), seen)
    assert loss(logits, torch.full_like(labels, HELD_OUT)) == 0


@pytest.mark.parametrize('negative', [True, False])
def test_the_mean_over_ranks_is_that_of_one_batch(monkeypatch, negative):
    torch.manual_seed(0)
    loss = OVBCELoss(negative)
    logits, labels = torch.randn(2, 3, 4, 4), torch.randint(-2, 3, (2, 4, 4))
    labels[1, 1:] = HELD_OUT
    expected = loss(logits, labels)
    counts = (labels >= (IGNORED if negative else 0)).sum()
    monkeypatch.setattr(global_count, 'all_reduce', lambda x: x.copy_(counts))
    monkeypatch.setattr(global_count, 'get_world_size', lambda: 2)
    ranks = [loss(*rank) for rank in zip(logits.split(1), labels.split(1), strict=True)]
    torch.testing.assert_close(sum(ranks) / 2, expected)


@pytest.mark.parametrize('wrong', [3, HELD_OUT - 1])
def test_a_label_that_is_no_class(wrong):
    labels = torch.zeros(1, 4, 4, dtype=torch.long)
    labels[0, 2, 1] = wrong
    with pytest.raises(ValueError, match=f'label {wrong} is none of the 3 classes'):
        OVBCELoss()(torch.zeros(1, 3, 4, 4), labels)


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
