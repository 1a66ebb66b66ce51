"""The fused score, against a loop that spells it out."""

import math

import pytest
import torch

from openvocab.models.roi_heads import GeometricScoreFusion


def plain_fusion(logits, cosine, novel, alpha, beta, temperature):
    """Row by row, class by class; the last column is the background."""
    scores = []
    for row, view in zip(logits.tolist(), cosine.tolist(), strict=True):
        total = sum(math.exp(v) for v in row)
        detector = [math.exp(v) / total for v in row]
        total = sum(math.exp(temperature * v) for v in view)
        encoder = [math.exp(temperature * v) / total for v in view]
        fused = []
        for k, (d, e) in enumerate(zip(detector, encoder, strict=True)):
            weight = beta if k < len(novel) and novel[k] else alpha
            fused.append(d ** (1 - weight) * e**weight)
        scores.append(fused)
    return torch.tensor(scores)


@pytest.mark.parametrize('classes', [1, 5, 1203])
def test_equals_the_plain_formula_with_alpha_for_the_background(classes):
    generator = torch.Generator().manual_seed(classes)
    logits = 3 * torch.randn(7, classes + 1, generator=generator)
    cosine = torch.rand(7, classes + 1, generator=generator) * 2 - 1
    novel = torch.rand(classes, generator=generator) > 0.5
    fusion = GeometricScoreFusion(alpha=0.1, beta=0.8, temperature=5.0)
    exponents = fusion.exponents(novel)
    assert exponents[-1] == pytest.approx(0.1)
    expected = plain_fusion(logits, cosine, novel.tolist(), 0.1, 0.8, 5.0)
    torch.testing.assert_close(fusion(logits, cosine, exponents), expected)


def test_all_base_is_transfer_with_one_alpha():
    logits, cosine = torch.randn(4, 6), torch.rand(4, 6)
    transfer = GeometricScoreFusion(alpha=0.2, beta=None, temperature=120.0)
    mixed = GeometricScoreFusion(alpha=0.2, beta=0.9, temperature=120.0)
    novel, base = torch.ones(5).bool(), torch.zeros(5).bool()
    one = transfer(logits, cosine, transfer.exponents(novel))
    other = mixed(logits, cosine, mixed.exponents(base))
    torch.testing.assert_close(one, other)


def test_extremes_are_the_two_opinions():
    logits, cosine = torch.randn(4, 6), torch.rand(4, 6)
    novel = torch.tensor([True, False, True, False, False])
    fusion = GeometricScoreFusion(alpha=0.0, beta=1.0, temperature=10.0)
    fused = fusion(logits, cosine, fusion.exponents(novel))
    base = torch.tensor([1, 3, 4, 5])
    torch.testing.assert_close(fused[:, base], logits.softmax(1)[:, base])
    torch.testing.assert_close(fused[:, [0, 2]], (10 * cosine).softmax(1)[:, [0, 2]])


def test_small_probabilities_do_not_vanish_in_half_precision():
    logits = torch.tensor([[0.0, 60.0]]).half()
    cosine = torch.tensor([[0.0, 0.5]])
    fusion = GeometricScoreFusion(alpha=0.1, beta=0.8, temperature=75.0)
    fused = fusion(logits, cosine, fusion.exponents(torch.tensor([True])))
    assert fused.dtype == torch.float32
    assert fused[0, 0].item() == pytest.approx(
        math.exp(-0.2 * 60 - 0.8 * 37.5), rel=1e-3
    )


@pytest.mark.parametrize('name', ['alpha', 'beta'])
def test_an_exponent_outside_zero_to_one_is_named(name):
    with pytest.raises(ValueError, match=f'fusion.{name}'):
        GeometricScoreFusion(**{name: 1.5})
