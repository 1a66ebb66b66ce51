import pytest
import torch
import torch.nn.functional as F

from helpers.head_inputs import D, features, rows
from helpers.plain_cat_seg import plain_forward
from openvocab.models.decode_heads import CATSegHead
from openvocab.models.decode_heads.cat_seg_head import cosine_volume


def make(**changes) -> CATSegHead:
    settings = dict(
        in_channels=(20, 20, D),
        strides=(8, 8, 8),
        dim=16,
        guide_dim=12,
        num_heads=2,
        window=4,
        pad_classes=8,
        max_classes=None,
        decoder_dims=(12, 8),
        tap_dims=(10, 6),
        tap_guide_dims=(4, 3),
    )
    torch.manual_seed(3)
    head = CATSegHead(**{**settings, **changes})
    with torch.no_grad():  # fillers begin at zero
        for layer in head.layers:
            layer.classes.padding_token.normal_()
            layer.classes.padding_guidance.normal_()
    return head.eval()


@torch.no_grad()
@pytest.mark.parametrize('grid', [(8, 8), (6, 10), (3, 2), (9, 5), (1, 13)])
@pytest.mark.parametrize('training', [False, True])
@pytest.mark.parametrize('count', [1, 5, 11])
def test_equals_the_plain_form(grid, training, count):
    head = make().train(training)
    inputs = features(2, grid)
    got = head(inputs, rows(count))
    assert got.shape == (2, count, 4 * grid[0], 4 * grid[1])
    expected = plain_forward(head, inputs, rows(count))
    torch.testing.assert_close(got, expected, atol=1e-5, rtol=1e-4)


@torch.no_grad()
@pytest.mark.parametrize('max_maps', [1, 2, 3, 7, 10**6])
@pytest.mark.parametrize('batch', [1, 2])
def test_chunks_of_classes_change_nothing(max_maps, batch):
    whole, parts = make(max_maps=None), make(max_maps=max_maps)
    inputs, text = features(batch), rows(7)
    torch.testing.assert_close(
        parts(inputs, text), whole(inputs, text), atol=1e-5, rtol=1e-5
    )


@pytest.mark.parametrize('max_maps', [1, 3, None])
def test_recomputed_chunks_give_the_same_gradient(max_maps):
    text, labels = rows(5), torch.randint(-1, 5, (2, 32, 32))
    grads = []
    for settings in (
        dict(max_maps=None),
        dict(max_maps=max_maps, grad_checkpointing=True),
    ):
        head = make(**settings).train()
        inputs = [each.requires_grad_() for each in features(2)]
        head.loss(inputs, text, labels)['loss_bce'].backward()
        own = [p.grad for p in head.parameters()]
        grads.append([*own, *(each.grad for each in inputs)])
    for plain, recomputed in zip(*grads, strict=True):
        torch.testing.assert_close(plain, recomputed, atol=1e-6, rtol=1e-4)


def test_gradient_reaches_everything():
    head = make().train()
    inputs = [each.requires_grad_() for each in features(2)]
    text = rows(3).requires_grad_()
    head.loss(inputs, text, torch.randint(0, 3, (2, 32, 32)))['loss_bce'].backward()
    for name, parameter in head.named_parameters():
        assert parameter.grad is not None and parameter.grad.any(), name
    assert all(each.grad.any() for each in [*inputs, text])


@torch.no_grad()
@pytest.mark.parametrize('max_classes', [None, 4])
def test_permuting_the_vocabulary_permutes_the_logits(max_classes):
    head = make(max_classes=max_classes, max_maps=3)
    inputs, text = features(2, (5, 7)), rows(9)
    order = torch.randperm(9)
    torch.testing.assert_close(
        head(inputs, text[order]), head(inputs, text)[:, order], atol=1e-5, rtol=1e-4
    )


@torch.no_grad()
def test_a_batch_equals_its_images():
    """Maps of several classes and images stand in one row; no image guides another."""
    head = make(max_classes=4)
    inputs, text = features(3, (5, 6)), rows(6)
    together = head(inputs, text)
    for index in range(3):
        alone = head([each[index : index + 1] for each in inputs], text)
        torch.testing.assert_close(
            together[index : index + 1], alone, atol=1e-5, rtol=1e-4
        )


@torch.no_grad()
def test_adding_a_class_leaves_the_cost_of_the_others():
    dense, text = features()[-1], rows(8)[:, None]
    cost = cosine_volume(dense, text)
    assert cost.shape == (1, 8, 1, 8, 8) and cost.abs().max() <= 1 + 1e-6
    torch.testing.assert_close(cosine_volume(dense, text[:7]), cost[:, :7])


@torch.no_grad()
@pytest.mark.parametrize('count', [1, 19, 150, 847])
def test_any_number_of_classes(count):
    head = make(max_classes=256, pad_classes=256, num_layers=1)
    logits = head(features(1, (3, 4)), rows(count))
    assert logits.shape == (1, count, 12, 16) and logits.isfinite().all()
    dropped = (logits == -100).all(dim=(2, 3)).sum()
    assert dropped == max(0, count - 256)


@torch.no_grad()
def test_the_best_classes_are_refined_as_if_there_were_no_others():
    head = make(max_classes=4)
    inputs, text = features(2), rows(9)
    logits = head(inputs, text)
    torch.testing.assert_close(
        logits, plain_forward(head, inputs, text), atol=1e-5, rtol=1e-4
    )
    scores = cosine_volume(inputs[-1], text[:, None]).amax(dim=(2, 3, 4))
    for index in range(2):
        kept = scores[index].topk(4).indices.sort().values
        alone = head([each[index : index + 1] for each in inputs], text[kept])
        torch.testing.assert_close(logits[index, kept], alone[0], atol=1e-5, rtol=1e-4)


@torch.no_grad()
def test_prompts_are_channels_or_averaged():
    text, inputs = rows(5, prompts=3), features()
    averaged, kept = make(), make(num_prompts=3)
    mean = F.normalize(text.mean(1), dim=-1)
    torch.testing.assert_close(averaged(inputs, text), averaged(inputs, mean))
    torch.testing.assert_close(
        kept(inputs, text), plain_forward(kept, inputs, text), atol=1e-5, rtol=1e-4
    )
    assert kept.embed.in_channels == 3
    with pytest.raises(ValueError, match='rows of 2 prompts, the head has num_prompts'):
        kept(inputs, text[:, :2])


@torch.no_grad()
def test_maps_of_a_convolutional_encoder():
    head = make(in_channels=(20, 22, D), strides=(8, 16, 32))
    inputs = (torch.randn(1, 20, 12, 8), torch.randn(1, 22, 6, 4), features()[-1])
    inputs = (*inputs[:2], torch.randn(1, D, 3, 2))
    assert head.order == [1, 0]  # the coarser map guides the first stage
    assert head(inputs, rows(4)).shape == (1, 4, 12, 8)
    assert not any(isinstance(tap.up, torch.nn.ConvTranspose2d) for tap in head.taps)


def test_normalized_guidance_ignores_the_length_of_the_map():
    text, (*taps, dense) = rows(4), features()
    raw, unit = make(), make(normalize_guidance=True)
    with torch.no_grad():
        assert not torch.allclose(
            raw([*taps, dense], text), raw([*taps, 3 * dense], text)
        )
        torch.testing.assert_close(
            unit([*taps, dense], text),
            unit([*taps, 3 * dense], text),
            atol=1e-5,
            rtol=1e-4,
        )


def test_autocast():
    head = make(max_maps=2)
    with torch.autocast('cpu', torch.bfloat16):
        with torch.no_grad():
            coarse = head(features(), rows(5))
        head.train().loss(features(), rows(5), torch.zeros(1, 8, 8).long())[
            'loss_bce'
        ].backward()
    exact = head.eval()(features(), rows(5))
    assert (coarse.float() - exact).abs().max() < 0.1 * exact.abs().max()


def test_inference_mode_then_training():
    head = make(window=3)
    with torch.inference_mode():
        head(features(), rows(3))
    loss = head.train().loss(features(), rows(3), torch.zeros(1, 8, 8).long())
    loss['loss_bce'].backward()


@pytest.mark.parametrize(
    'changes, message',
    [
        (dict(in_channels=(20, D), strides=(8, 8)), '1 maps are tapped for 2 decoder'),
        (dict(strides=(8, 1, 8)), 'has stride 2, which a map of stride 1 cannot guide'),
        (dict(max_maps=0), 'max_maps must be at least 1'),
        (dict(tap_guide_dims=(16, 3)), 'leaves none of 16'),
    ],
)
def test_wrong_settings(changes, message):
    with pytest.raises(ValueError, match=message):
        make(**changes)
