import pytest
import torch
import torch.nn.functional as F

from helpers.head_inputs import D, features, rows
from openvocab.models.decode_heads import LoGoSegHead
from openvocab.models.losses import OVBCELoss

C = 8
REGIONS = dict(type='openvocab.RegionAlignment', regions=3)
LOCAL = dict(type='openvocab.DirectionalAttention', num_heads=2, stripe=2)
FUSION = dict(
    type='openvocab.ContextualFusion',
    depth=2,
    local=LOCAL,
    queries=dict(type='openvocab.LanguageQueries', num_heads=2),
)
# Every row of Tables 2 to 4.
ABLATIONS = {
    'prior alone': dict(regions=None, fusion=None),
    'prior and alignment': dict(fusion=None),
    'prior and fusion': dict(regions=None),
    'no prior': dict(prior=None),
    'nothing': dict(prior=None, regions=None, fusion=None),
    'queries': dict(fusion=dict(FUSION, local=None, context=None)),
    'queries, context': dict(fusion=dict(FUSION, local=None)),
    'queries, direction': dict(fusion=dict(FUSION, context=None)),
    'depth 1': dict(fusion=dict(FUSION, depth=1)),
    'depth 3': dict(fusion=dict(FUSION, depth=3)),
    'lambda 0': dict(prior=dict(type='openvocab.ObjectPrior', weight=0.0)),
    'lambda 0.5': dict(prior=dict(type='openvocab.ObjectPrior', weight=0.5)),
    'lambda learned': dict(
        prior=dict(type='openvocab.ObjectPrior', weight=0.5, learn_weight=True)
    ),
    '4 x 4': dict(regions=dict(REGIONS, regions=4)),
    '8 x 8': dict(regions=dict(REGIONS, regions=8)),
    'as printed': dict(prior_in_similarity=False),
    'prior in cost': dict(prior_in_cost=True),
    'no cost': dict(cost_kernel=None),
}


def make(**changes) -> LoGoSegHead:
    settings = dict(
        in_channels=(20, 20, D),
        strides=(8, 8, 8),
        dim=C,
        regions=REGIONS,
        fusion=FUSION,
        decoder_dims=(6, 5),
        tap_dims=(10, 6),
        tap_guide_dims=(4, 3),
    )
    torch.manual_seed(3)
    return LoGoSegHead(**{**settings, **changes}).eval()


def close(got, expected):
    torch.testing.assert_close(got, expected, atol=1e-4, rtol=1e-4)


@torch.no_grad()
@pytest.mark.parametrize('grid', [(6, 6), (5, 7), (1, 3)])
@pytest.mark.parametrize('count', [1, 4])
@pytest.mark.parametrize('prior_in_cost', [True, False])
def test_equals_its_equations_class_by_class(grid, count, prior_in_cost):
    head, text = make(prior_in_cost=prior_in_cost), rows(count, prompts=3)
    first, second, dense = inputs = features(1, grid)
    mean = text.mean(dim=1)
    scale = head.prior(dense, mean)[0]
    hat = torch.stack([s * t for s, t in zip(scale, mean, strict=True)])
    guidance = head.regions(dense, mean, scale[None])
    middle = head.project_middle(second.permute(0, 2, 3, 1))
    fused, queries = head.fusion(
        middle, guidance, head.text_query(hat)[None], head.text_token(hat)[None]
    )
    x, q = head.correlate_map(fused)[0], head.correlate_query(queries)[0]
    got = head(inputs, text)
    assert got.shape == (1, count, 4 * grid[0], 4 * grid[1])
    for n in range(count):
        cost = torch.zeros(1, 1, *grid)
        correlation = torch.zeros(1, C, *grid)
        for i in range(grid[0]):
            for j in range(grid[1]):
                cosine = F.cosine_similarity(dense[0, :, i, j], mean[n], dim=0)
                cost[0, 0, i, j] = scale[n] * cosine if prior_in_cost else cosine
                correlation[0, :, i, j] = q[n] * x[i, j]
        maps = correlation + head.embed(cost)
        for stage, tap, own in zip(
            head.stages, head.taps, (first, second), strict=True
        ):
            up = torch.cat([stage.up(maps), tap(own)], dim=1)
            maps = F.relu(
                stage.norm1(F.conv2d(up, stage.conv1.weight, padding=1))
            )  # Eq. (11)
            maps = F.relu(stage.norm2(stage.conv2(maps)))
        close(got[0, n], head.classify(maps)[0, 0])


@pytest.mark.parametrize('changes', ABLATIONS.values(), ids=ABLATIONS)
def test_ablations_train_and_test(changes):
    head = make(**changes)
    inputs, text = features(2, (9, 11)), rows(5)
    with torch.no_grad():
        out = head(inputs, text)
        order = torch.randperm(5)
        close(head(inputs, text[order]), out[:, order])
        alone = head([each[1:] for each in inputs], text)
        close(out[1:], alone)
    head.train().loss(inputs, text, torch.randint(-1, 5, (2, 32, 32)))[
        'loss_bce'
    ].backward()
    for name, parameter in head.named_parameters():
        assert parameter.grad is not None and parameter.grad.any(), name


@torch.no_grad()
def test_removed_parts_leave_the_simpler_model():
    inputs, text = features(2), rows(4)
    # A prior of weight 0 is no prior.
    without = make(prior=None)
    zero = make(prior=dict(type='openvocab.ObjectPrior', weight=0.0))
    close(without(inputs, text), zero(inputs, text))
    # No alignment: the guidance is the projected dense map.
    head = make(regions=None, fusion=None, cost_kernel=None, prior=None)
    taps, dense = inputs[:-1], inputs[-1].permute(0, 2, 3, 1)
    middle = head.project_middle(inputs[-2].permute(0, 2, 3, 1))
    x = head.merge(torch.cat([middle, head.project_dense(dense)], dim=-1))
    q = head.correlate_query(head.text_query(text))
    maps = q[None, :, None, None] * head.correlate_map(x)[:, None]
    close(head(inputs, text), head.decode(maps, head.stage_guides(taps)))


@torch.no_grad()
@pytest.mark.parametrize('max_maps', [1, 3, 10**6])
@pytest.mark.parametrize('cost_kernel', [7, None])
def test_chunks_of_classes_change_nothing(max_maps, cost_kernel):
    whole = make(max_maps=None, cost_kernel=cost_kernel)
    parts = make(max_maps=max_maps, cost_kernel=cost_kernel)
    close(parts(features(2), rows(7)), whole(features(2), rows(7)))


def test_recomputed_chunks_give_the_same_gradient():
    text, labels = rows(5), torch.randint(-1, 5, (2, 24, 24))
    grads = []
    for settings in (
        dict(max_maps=None),
        dict(max_maps=3, grad_checkpointing=True),
    ):
        head = make(**settings).train()
        inputs = [each.requires_grad_() for each in features(2)]
        head.loss(inputs, text, labels)['loss_bce'].backward()
        own = [p.grad for p in head.parameters()]
        grads.append([*own, *(each.grad for each in inputs)])
    for plain, recomputed in zip(*grads, strict=True):
        torch.testing.assert_close(plain, recomputed, atol=1e-6, rtol=1e-4)


@torch.no_grad()
def test_any_number_of_classes():
    head = make()
    for count in (1, 171, 847):
        logits = head(features(1, (3, 4)), rows(count))
        assert logits.shape == (1, count, 12, 16) and logits.isfinite().all()


@torch.no_grad()
def test_a_likelier_class_scales_its_own_cost_alone():
    """What the prior gates, with all else off."""
    head = make(regions=None, fusion=None, prior_in_cost=True)
    head.correlate_query.weight.zero_()
    head.correlate_query.bias.zero_()
    head._scale = lambda dense, text: scale
    scale = torch.ones(1, 3)
    before = head(features(), rows(3))
    scale = torch.tensor([[1.0, 0.0, 1.0]])
    after = head(features(), rows(3))
    close(after[:, [0, 2]], before[:, [0, 2]])
    assert not torch.allclose(after[:, 1], before[:, 1])
    flat = head.decode(
        head.embed.bias.expand(1, 1, 8, 8, C), head.stage_guides(features()[:2])
    )
    close(after[:, 1], flat[:, 0])


@torch.no_grad()
def test_maps_of_a_convolutional_encoder():
    head = make(in_channels=(20, 22, D), strides=(8, 16, 32))
    maps = torch.randn(1, 20, 12, 8), torch.randn(1, 22, 6, 4)
    assert head((*maps, torch.randn(1, D, 3, 2)), rows(4)).shape == (1, 4, 12, 8)


@torch.no_grad()
def test_classes_begin_with_a_low_score():
    for score in (0.01, 0.5):
        scores = make(initial_score=score)(features(4), rows(9)).sigmoid()
        assert 0.3 * score < scores.mean() < 3 * score
    with pytest.raises(ValueError, match='initial_score=1 must lie in'):
        make(initial_score=1)


@torch.no_grad()
def test_normalized_dense_ignores_lengths():
    *taps, dense = features()
    head = make(normalize_dense=True)
    close(head([*taps, dense], rows(4)), head([*taps, 3 * dense], rows(4)))


def test_autocast():
    head, inputs = make(), features()
    with torch.autocast('cpu', torch.bfloat16):
        with torch.no_grad():
            coarse = head(inputs, rows(5))
        labels = torch.zeros(1, 8, 8).long()
        head.train().loss(inputs, rows(5), labels)['loss_bce'].backward()
    exact = head.eval()(inputs, rows(5))
    assert (coarse.float() - exact).abs().max() < 0.1 * exact.abs().max()


def test_inference_mode_then_training():
    head = make()
    with torch.inference_mode():
        head(features(), rows(3))
    loss = head.train().loss(features(), rows(3), torch.zeros(1, 8, 8).long())
    loss['loss_bce'].backward()


@pytest.mark.parametrize('sum_classes', [True, False])
def test_masked_loss_equals_a_loop(sum_classes):
    logits, labels = torch.randn(1, 3, 2, 3), torch.tensor([[[0, -1, 2], [1, -1, 0]]])
    total, pixels = 0.0, 0
    for i in range(2):
        for j in range(3):
            mask = int(labels[0, i, j] >= 0)
            pixels += mask
            for n in range(3):
                y, p = int(labels[0, i, j] == n), logits[0, n, i, j].sigmoid()
                total -= mask * (y * p.log() + (1 - y) * (1 - p).log())
    expected = total / pixels  # Eq. (13)
    loss = OVBCELoss(ignored_as_negative=False, sum_classes=sum_classes)
    torch.testing.assert_close(
        loss(logits, labels), expected if sum_classes else expected / 3
    )
    assert make().criterion.ignored_as_negative is False
