import math

import pytest
import torch

from openvocab.models.layers import ObjectPrior, RegionAlignment, RegionGrid

D, C = 7, 5


def cosine(a, b):
    return (a @ b) / (a.norm() * b.norm())


def softmax(values):
    top = max(values)
    exps = [math.exp(v - top) for v in values]
    return [e / sum(exps) for e in exps]


def region_of(i, j, height, width, regions):
    """The region of a token, by its floor boundaries."""
    found = []
    for position, side in ((i, height), (j, width)):
        parts = min(regions, side)
        found.append(max(k for k in range(parts) if k * side // parts <= position))
    return found[0] * min(regions, width) + found[1]


@pytest.mark.parametrize(
    'side, regions, sizes', [(24, 6, [4] * 6), (5, 3, [1, 2, 2]), (3, 6, [1, 1, 1])]
)
def test_boundaries(side, regions, sizes):
    grid = RegionGrid((side, 1), regions)
    members = grid.members(torch.device('cpu'))
    assert members.sum(dim=1).tolist() == sizes
    assert (members.sum(dim=0) == 1).all()


@pytest.mark.parametrize('shape', [(4, 6), (5, 7), (2, 9), (1, 1)])
def test_grid_equals_a_loop(shape):
    height, width = shape
    grid = RegionGrid(shape, 3)
    maps = torch.randn(2, height, width, C)
    tokens, logits = maps.flatten(1, 2), torch.randn(2, height * width)
    means, weights, spread = grid.mean(tokens), grid.softmax(logits), None
    spread = grid.spread(means)
    for k in range(grid.count):
        inside = [
            (i, j)
            for i in range(height)
            for j in range(width)
            if region_of(i, j, height, width, 3) == k
        ]
        for b in range(2):
            mean = sum(maps[b, i, j] for i, j in inside) / len(inside)
            torch.testing.assert_close(means[b, k], mean)
            own = softmax([logits[b, i * width + j].item() for i, j in inside])
            for (i, j), weight in zip(inside, own, strict=True):
                assert weights[b, k, i * width + j].item() == pytest.approx(weight)
                torch.testing.assert_close(spread[b, i, j], mean)
    torch.testing.assert_close(weights.sum(dim=-1), torch.ones(2, grid.count))


@pytest.mark.parametrize('weight', [0.0, 0.5, 1.0])
def test_prior_equals_a_loop(weight):
    dense, prompts = torch.randn(2, D, 3, 4), torch.randn(6, 3, D)
    mean = prompts.mean(dim=1)
    scale = ObjectPrior(weight)(dense, mean)
    for b in range(2):
        for n in range(6):
            total = 0.0
            for i in range(3):
                for j in range(4):
                    total += cosine(dense[b, :, i, j], mean[n]).item()
            prior = total / 12
            assert scale[b, n].item() == pytest.approx(
                1 - weight + weight * prior, abs=1e-6
            )
            if weight == 1:  # Eq. (2) as printed
                hat = sum(prior * prompts[n, p] for p in range(3)) / 3
                torch.testing.assert_close(scale[b, n] * mean[n], hat)


def test_prior_can_be_learned_and_stretched():
    dense, text = torch.randn(2, D, 3, 4), torch.randn(6, D)
    prior = ObjectPrior(0.5, learn_weight=True)
    torch.testing.assert_close(prior(dense, text), ObjectPrior(0.5)(dense, text))
    prior(dense, text).sum().backward()
    assert prior.weight_logit.grad.item() != 0
    stretched = ObjectPrior(stretch=True)(dense, text)
    assert stretched.amin(1).tolist() == [0, 0] and stretched.amax(1).tolist() == [1, 1]
    assert ObjectPrior(stretch=True)(dense, text[:1]).tolist() == [[1], [1]]


@pytest.mark.parametrize('settings', [dict(weight=1.5), dict(learn_weight=True)])
def test_weight_out_of_range(settings):
    with pytest.raises(ValueError, match='must lie in'):
        ObjectPrior(**settings)


def plain_guidance(module, dense, text, scale):
    """Eqs. (3) to (7) for one image, in the order of the paper."""
    _, height, width = dense.shape
    count = len(text)
    inside = {}
    for i in range(height):
        for j in range(width):
            k = region_of(i, j, height, width, module.regions)
            inside.setdefault(k, []).append((i, j))
    tau, beta = module.region_log.exp().item(), module.class_log.exp().item()
    v = {
        k: sum(dense[:, i, j] for i, j in each) / len(each)
        for k, each in inside.items()
    }
    hat = [scale[n] * text[n] for n in range(count)]
    alike = {}
    for k in inside:
        for n in range(count):
            if module.prior_in_similarity:
                length = v[k].norm() * text[n].norm()
                alike[k, n] = ((v[k] @ hat[n]) / length).item()
            else:
                alike[k, n] = cosine(v[k], hat[n]).item()
    described = []
    for n in range(count):
        w = softmax([tau * alike[k, n] for k in sorted(inside)])
        m = sum(w[k] * v[k] for k in sorted(inside))
        described.append(module.describe_class(torch.cat([m, hat[n]])))
    out = torch.zeros(height, width, C)
    for k, each in inside.items():
        own = softmax([module.weigh(dense[:, i, j]).item() for i, j in each])
        pooled = sum(a * dense[:, i, j] for a, (i, j) in zip(own, each, strict=True))
        image = module.project_image(pooled)
        b = softmax([beta * alike[k, n] for n in range(count)])
        words = module.project_text(sum(b[n] * described[n] for n in range(count)))
        e_image, e_text = math.exp(image.norm()), math.exp(words.norm())
        alpha = e_image / (e_image + e_text)
        for i, j in each:
            out[i, j] = alpha * image + (1 - alpha) * words
    return out


@torch.no_grad()
@pytest.mark.parametrize('shape', [(4, 6), (5, 7), (1, 2)])
@pytest.mark.parametrize('prior_in_similarity', [True, False])
@pytest.mark.parametrize('count', [1, 4])
def test_alignment_equals_a_loop(shape, prior_in_similarity, count):
    module = RegionAlignment(D, C, 3, prior_in_similarity, class_sharpness=5)
    dense, text = torch.randn(2, D, *shape), torch.randn(count, D)
    scale = torch.randn(2, count)
    got = module(dense, text, scale)
    for b in range(2):
        expected = plain_guidance(module, dense[b], text, scale[b])
        torch.testing.assert_close(got[b], expected, atol=1e-5, rtol=1e-4)


@torch.no_grad()
def test_printed_similarity_ignores_the_prior_and_ours_does_not():
    pooled, text = torch.randn(1, 4, D), torch.randn(3, D)
    one, other = torch.rand(2, 1, 3) + 0.1
    printed = RegionAlignment(D, C, prior_in_similarity=False)
    torch.testing.assert_close(
        printed.similarity(pooled, text, one), printed.similarity(pooled, text, other)
    )
    ours = RegionAlignment(D, C)
    torch.testing.assert_close(
        ours.similarity(pooled, text, one) / one[:, None],
        ours.similarity(pooled, text, other) / other[:, None],
    )


@torch.no_grad()
def test_guidance_does_not_depend_on_the_order_of_classes():
    module = RegionAlignment(D, C, 2)
    dense, text, scale = torch.randn(1, D, 4, 4), torch.randn(9, D), torch.rand(1, 9)
    order = torch.randperm(9)
    torch.testing.assert_close(
        module(dense, text[order], scale[:, order]), module(dense, text, scale)
    )


def test_gradient_reaches_everything_and_survives_long_vectors():
    module = RegionAlignment(D, C, 2)
    dense = (1e3 * torch.randn(2, D, 4, 4)).requires_grad_()
    module(dense, torch.randn(3, D), torch.rand(2, 3)).square().sum().backward()
    assert dense.grad.isfinite().all() and dense.grad.any()
    small = RegionAlignment(D, C, 2)
    small(torch.randn(2, D, 4, 4), torch.randn(3, D), torch.rand(2, 3)).sum().backward()
    for name, parameter in small.named_parameters():
        assert parameter.grad is not None and parameter.grad.any(), name


def test_sharpness_is_bounded():
    at, above = RegionAlignment(D, C), RegionAlignment(D, C)
    above.load_state_dict(at.state_dict())
    with torch.no_grad():
        above.class_log += 3
    inputs = torch.randn(1, D, 4, 4), torch.randn(3, D), torch.rand(1, 3)
    torch.testing.assert_close(at(*inputs), above(*inputs))
