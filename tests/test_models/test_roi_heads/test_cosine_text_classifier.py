"""The text classifier: any number of classes, its parameters, its errors."""

import pytest
import torch
from torch.nn import functional as F

from openvocab.models.roi_heads import CosineTextClassifier


def unit(*shape):
    return F.normalize(torch.randn(*shape), dim=-1)


def test_logits_are_scaled_cosines_with_the_background_last():
    classifier = CosineTextClassifier(2, temperature=50.0)
    classifier.set_text(torch.eye(2), torch.tensor([[0.6, 0.8]]))
    logits = classifier(torch.tensor([[3.0, 4.0]]))
    torch.testing.assert_close(logits, 50 * torch.tensor([[0.6, 0.8, 1.0]]))


@pytest.mark.parametrize('classes', [1, 3, 1203])
def test_any_number_of_classes_at_once(classes):
    classifier = CosineTextClassifier(8)
    for count in (classes, 2, classes):
        classifier.set_text(unit(count, 8), unit(1, 8))
        assert classifier.num_classes == count
        assert classifier(torch.randn(5, 8)).shape == (5, count + 1)
    assert classifier(torch.randn(0, 8)).shape == (0, classes + 1)


def test_only_what_was_learned_is_saved():
    classifier = CosineTextClassifier(8, learn_background=True)
    classifier.set_text(unit(4, 8), unit(1, 8))
    assert set(classifier.state_dict()) == {'temperature', 'background_shift'}
    fixed = CosineTextClassifier(8, learn_temperature=False)
    assert not fixed.state_dict() and not list(fixed.parameters())


def test_the_learned_background_starts_at_its_text_row_and_moves():
    rows, background = unit(4, 8), unit(1, 8)
    plain, learned = (
        CosineTextClassifier(8),
        CosineTextClassifier(8, learn_background=True),
    )
    for classifier in (plain, learned):
        classifier.set_text(rows, background)
    regions = torch.randn(5, 8)
    torch.testing.assert_close(plain(regions), learned(regions))
    learned(regions)[:, -1].sum().backward()
    assert learned.background_shift.grad.abs().sum() > 0
    assert learned.temperature.grad is not None
    assert rows.grad is None


def test_logits_stay_in_float32_under_autocast():
    classifier = CosineTextClassifier(8)
    classifier.set_text(unit(4, 8), unit(1, 8))
    regions = torch.randn(5, 8)
    with torch.autocast('cpu', torch.bfloat16):
        logits = classifier(regions.bfloat16())
    assert logits.dtype == torch.float32
    torch.testing.assert_close(logits, classifier(regions.bfloat16().float()))


def test_text_of_another_width_is_refused():
    with pytest.raises(ValueError, match='width 6 but the box head gives 8'):
        CosineTextClassifier(8).set_text(unit(4, 6), unit(1, 6))
