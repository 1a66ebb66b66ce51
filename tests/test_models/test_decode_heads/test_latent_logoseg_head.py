import pytest
import torch
import torch.nn.functional as F

from helpers.head_inputs import D, features, rows
from openvocab.models.decode_heads import LatentLoGoSegHead

C, T = 8, 6


def make(**changes) -> LatentLoGoSegHead:
    settings = dict(
        in_channels=(20, 20, D),
        strides=(8, 8, 8),
        num_queries=T,
        dim=C,
        regions=dict(type='openvocab.RegionAlignment', regions=3),
        fusion=dict(
            type='openvocab.ContextualFusion',
            local=dict(type='openvocab.DirectionalAttention', num_heads=2, stripe=2),
            queries=dict(type='openvocab.LanguageQueries', num_heads=2),
        ),
        decoder_dims=(6, 5),
        tap_dims=(10, 6),
        tap_guide_dims=(4, 3),
    )
    torch.manual_seed(3)
    return LatentLoGoSegHead(**{**settings, **changes}).eval()


@torch.no_grad()
def test_equals_a_loop_over_queries():
    head, text, inputs = make(), rows(4, 3), features(1, (3, 5))
    mean = text.mean(dim=1)
    hat = head.prior(inputs[-1], mean)[..., None] * mean
    fused, queries = head.fusion(
        head.project_middle(inputs[1].permute(0, 2, 3, 1)),
        head.regions(inputs[-1], mean, head.prior(inputs[-1], mean)),
        head.text_query.vectors[None],
        head.text_token(hat),
    )
    expected = torch.zeros(4, 12, 20)
    for t in range(T):
        query = head.correlate_query(queries[0, t])
        product = (query * head.correlate_map(fused))[:, None]
        mask = head.decode(product, head.stage_guides(inputs[:-1]))[0, 0]
        name = head.name_query(queries[0, t])
        for n in range(4):
            expected[n] += F.cosine_similarity(name, mean[n], dim=0) * mask
    got = head(inputs, text)
    torch.testing.assert_close(got[0], expected + head.class_bias, atol=1e-4, rtol=1e-4)


@torch.no_grad()
def test_classes_and_images():
    head, inputs = make(max_maps=4), features(2, (5, 7))
    for count in (1, 171, 847):
        text = rows(count)
        logits = head(inputs, text)
        assert logits.shape == (2, count, 20, 28)
        order = torch.randperm(count)
        torch.testing.assert_close(
            head(inputs, text[order]), logits[:, order], atol=1e-4, rtol=1e-4
        )
        alone = head([each[1:] for each in inputs], text)
        torch.testing.assert_close(alone, logits[1:], atol=1e-4, rtol=1e-4)
    whole = make(max_maps=None)(inputs, text)
    torch.testing.assert_close(whole, logits, atol=1e-4, rtol=1e-4)
    assert 0.003 < logits.sigmoid().mean() < 0.03


@pytest.mark.parametrize('part', ['prior', 'regions', 'fusion', 'nothing'])
def test_gradient_reaches_everything(part):
    head = make(**({} if part == 'nothing' else {part: None})).train()
    labels = torch.randint(-1, 5, (2, 24, 24))
    head.loss(features(2), rows(5), labels)['loss_bce'].backward()
    for name, parameter in head.named_parameters():
        assert parameter.grad is not None and parameter.grad.any(), name


def test_no_cost():
    with pytest.raises(ValueError, match='cost_kernel=7: LatentLoGoSegHead has no map'):
        make(cost_kernel=7)
