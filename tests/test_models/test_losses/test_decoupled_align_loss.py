"""The loss against a plain reference written from the paper, with Python loops."""

import math

import pytest
import torch
from torch.nn import functional as F

from openvocab.models.losses import DECOUPLINGS, DecoupledAlignLoss
from openvocab.registry import MODELS

# Table 3: which sets P-Thing and P-Stuff regions are separated from
TABLE_3 = {
    'all_vs_all': {'thing': 'TS', 'stuff': 'TS'},
    'own_set': {'thing': 'T', 'stuff': 'S'},
    'thing_vs_all_stuff_vs_stuff': {'thing': 'TS', 'stuff': 'S'},
    'thing_vs_thing_stuff_vs_all': {'thing': 'T', 'stuff': 'TS'},
}


def softmax(values: list[float]) -> list[float]:
    top = max(values)
    weights = [math.exp(v - top) for v in values]
    return [w / sum(weights) for w in weights]


def reference(batch: dict, decoupling: str, reduction: str, theta: float, tau: float):
    """Section 3.2, region by region, in Python floats (float64)."""
    thing = batch['is_thing'].tolist()
    student, teacher, student_text, teacher_text = (
        batch[k].double().tolist()
        for k in ('student', 'teacher', 'student_text', 'teacher_text')
    )

    def cosine_logits(feature, text, classes):
        return [
            sum(a * b for a, b in zip(feature, text[c], strict=True)) / tau
            for c in classes
        ]

    everything = list(range(len(thing)))
    losses = []  # (image, kind, loss) of the kept regions
    for k, image in enumerate(batch['region_to_image'].tolist()):
        p = softmax(cosine_logits(teacher[k], teacher_text, everything))
        if max(p) < theta:
            continue
        kind = 'thing' if thing[p.index(max(p))] else 'stuff'
        sets = TABLE_3[decoupling][kind]
        classes = [c for c in everything if ('T' if thing[c] else 'S') in sets]
        p = softmax(cosine_logits(teacher[k], teacher_text, classes))
        q = softmax(cosine_logits(student[k], student_text, classes))
        kl = sum(a * math.log(a / b) for a, b in zip(p, q, strict=True) if a > 0)
        losses.append((image, kind, kl))

    def mean(values):
        return sum(values) / len(values) if values else 0.0

    if reduction == 'group':
        return sum(
            mean([v for _, kind, v in losses if kind == group])
            for group in ('thing', 'stuff')
        )
    return mean(
        [
            mean([v for i, _, v in losses if i == image])
            for image in range(batch['num_images'])
        ]
    )


def make_batch(seed: int = 0, classes: int = 9, dtype=torch.float64, noise=0.15):
    """Regions near text rows; image 1 has none, the last classes are stuff."""
    generator = torch.Generator().manual_seed(seed)

    def unit(*shape):
        values = torch.randn(shape, generator=generator, dtype=torch.float64)
        return F.normalize(values, dim=-1)

    student_text, teacher_text = unit(classes, 12), unit(classes, 16)
    label = torch.randint(classes, (14,), generator=generator)
    student = F.normalize(student_text[label] + 0.4 * unit(14, 12), dim=1)
    teacher = F.normalize(teacher_text[label] + 2 * unit(14, 16) * noise, dim=1)
    teacher[10:] = unit(4, 16)  # hardly any class fits
    batch = dict(
        student=student,
        teacher=teacher,
        student_text=student_text,
        teacher_text=teacher_text,
    )
    batch = {name: value.to(dtype) for name, value in batch.items()}
    return batch | dict(
        is_thing=torch.arange(classes) < (classes * 2) // 3,
        region_to_image=torch.tensor([0] * 5 + [2] * 9),
        num_images=3,
    )


@pytest.mark.parametrize('reduction', ['group', 'region'])
@pytest.mark.parametrize('decoupling', sorted(DECOUPLINGS))
@pytest.mark.parametrize('tau', [0.01, 0.1])
def test_equals_the_plain_reference(decoupling, reduction, tau):
    theta = 0.5
    loss = DecoupledAlignLoss(decoupling, theta=theta, tau=tau, reduction=reduction)
    for seed in range(5):
        batch = make_batch(seed)
        out = loss(**batch)
        expected = reference(batch, decoupling, reduction, theta, tau)
        assert expected > 0
        assert out['loss_align'].item() == pytest.approx(expected, rel=1e-9, abs=1e-9)
        single = loss(**make_batch(seed, dtype=torch.float32))
        assert single['loss_align'].dtype == torch.float32
        assert single['loss_align'].item() == pytest.approx(expected, rel=1e-5)


@pytest.mark.parametrize('reduction', ['group', 'region'])
def test_decouplings_differ(reduction):
    batch = make_batch()
    values = {
        name: DecoupledAlignLoss(name, tau=0.05, reduction=reduction)(**batch)
        for name in DECOUPLINGS
    }
    assert len({round(v['loss_align'].item(), 6) for v in values.values()}) == 4


def test_theta_drops_regions_and_teacher_tau_moves_the_threshold():
    batch = make_batch()
    shares = [
        DecoupledAlignLoss(theta=theta, tau=0.05)(**batch)['keep_ratio'].item()
        for theta in (0, 0.3, 0.9, 1.1)
    ]
    assert shares == sorted(shares, reverse=True)
    assert shares[0] == 1 and shares[-1] == 0
    soft = DecoupledAlignLoss(theta=0.9, tau=0.05, teacher_tau=10.0)(**batch)
    assert soft['keep_ratio'] == 0


@pytest.mark.parametrize('reduction', ['group', 'region'])
@pytest.mark.parametrize('regions', [14, 0])
def test_nothing_kept_is_an_exact_differentiable_zero(reduction, regions):
    batch = make_batch(dtype=torch.float32)
    for name in ('student', 'teacher', 'region_to_image'):
        batch[name] = batch[name][:regions]
    batch['student'].requires_grad_()
    out = DecoupledAlignLoss(theta=1.1, reduction=reduction)(**batch)
    assert out['loss_align'].item() == 0
    out['loss_align'].backward()
    assert torch.equal(batch['student'].grad, torch.zeros(regions, 12))
    assert all(torch.isfinite(value) for value in out.values())


@pytest.mark.parametrize('reduction', ['group', 'region'])
@pytest.mark.parametrize('decoupling', sorted(DECOUPLINGS))
@pytest.mark.parametrize('is_thing', [True, False])
def test_one_class_and_one_kind(decoupling, reduction, is_thing):
    loss = DecoupledAlignLoss(decoupling, reduction=reduction, tau=0.05)
    batch = make_batch(classes=1)
    batch['is_thing'] = torch.tensor([is_thing])
    batch['student'].requires_grad_()
    out = loss(**batch)
    assert out['loss_align'].item() == 0 and out['keep_ratio'] == 1
    out['loss_align'].backward()
    assert torch.isfinite(batch['student'].grad).all()

    batch = make_batch()
    batch['is_thing'] = torch.full((9,), is_thing)
    same = DecoupledAlignLoss('all_vs_all', reduction=reduction, tau=0.05)(**batch)
    torch.testing.assert_close(loss(**batch)['loss_align'], same['loss_align'])


@pytest.mark.parametrize('reduction', ['group', 'region'])
def test_order_of_the_vocabulary_does_not_matter(reduction):
    batch, loss = make_batch(), DecoupledAlignLoss(reduction=reduction, tau=0.05)
    order = torch.randperm(9, generator=torch.Generator().manual_seed(1))
    shuffled = dict(batch)
    for name in ('student_text', 'teacher_text', 'is_thing'):
        shuffled[name] = batch[name][order]
    torch.testing.assert_close(loss(**batch), loss(**shuffled))


def test_equal_models_have_zero_loss_and_agree():
    batch = make_batch()
    batch['student'], batch['student_text'] = batch['teacher'], batch['teacher_text']
    out = DecoupledAlignLoss(tau=0.05)(**batch)
    assert out['loss_align'].abs().item() < 1e-12
    assert out['agreement'] == 1
    assert sum('loss' in name for name in out) == 1


def test_gradient_reaches_kept_students_only():
    batch = make_batch()
    inputs = ('student', 'teacher', 'student_text', 'teacher_text')
    for name in inputs:
        batch[name].requires_grad_()
    out = DecoupledAlignLoss(theta=0.9, tau=0.05)(**batch)
    assert 0 < out['keep_ratio'] < 1
    out['loss_align'].backward()
    reached = batch['student'].grad.abs().sum(1) > 0
    confidence = (batch['teacher'] @ batch['teacher_text'].T / 0.05).softmax(1)
    assert torch.equal(reached, confidence.amax(1) >= 0.9)
    assert batch['teacher'].grad is None and batch['teacher_text'].grad is None


def test_group_sum_weighs_a_rare_kind_like_a_common_one():
    # one stuff region among many things: doubling the things must change nothing
    batch, loss = make_batch(), DecoupledAlignLoss(theta=0, tau=0.05)
    double = dict(batch)
    thing = batch['is_thing'][(batch['teacher'] @ batch['teacher_text'].T).argmax(1)]
    for name in ('student', 'teacher', 'region_to_image'):
        double[name] = torch.cat((batch[name], batch[name][thing]))
    torch.testing.assert_close(
        loss(**batch)['loss_align'], loss(**double)['loss_align']
    )


def test_float32_inside_autocast():
    batch = make_batch(dtype=torch.float32)
    loss = DecoupledAlignLoss()
    with torch.autocast('cpu', dtype=torch.bfloat16):
        inside = loss(**batch)['loss_align']
    assert inside.dtype == torch.float32
    assert torch.equal(inside, loss(**batch)['loss_align'])


def test_configs_and_wrong_names():
    loss = MODELS.build(
        dict(
            type='openvocab.DecoupledAlignLoss',
            reduction=dict(type='openvocab.RegionMean'),
            loss_weight=2.0,
        )
    )
    batch = make_batch()
    single = DecoupledAlignLoss(reduction='region')(**batch)['loss_align']
    torch.testing.assert_close(loss(**batch)['loss_align'], 2 * single)
    with pytest.raises(ValueError, match="decoupling 'none' is not one of"):
        DecoupledAlignLoss('none')
    with pytest.raises(ValueError, match="reduction 'sum' is not one of"):
        DecoupledAlignLoss(reduction='sum')
    with pytest.raises(ValueError, match='must be positive'):
        DecoupledAlignLoss(tau=0)
