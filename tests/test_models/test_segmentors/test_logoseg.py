"""LoGoSeg from its config: ablations, learning rates, any number of classes, memory."""

from argparse import ArgumentParser
from pathlib import Path

import pytest
import torch
from mmengine.config import Config, DictAction
from mmengine.optim import CosineAnnealingLR, build_optim_wrapper
from mmengine.registry import PARAM_SCHEDULERS, init_default_scope

from helpers.head_memory import memory_of_847_classes
from openvocab.models.losses import OVBCELoss
from openvocab.models.segmentors.class_scores import resize
from openvocab.registry import MODELS
from openvocab.testing import random_segmentation_batch

CONFIGS = Path(__file__).resolve().parents[3] / 'configs'
TINY = CONFIGS / 'logoseg/logoseg_ov-shapes-u_1xb4-240i_ov-shapes.py'
RECIPE = CONFIGS / '_base_/schedules/logoseg_80k.py'
# Tables 2 to 4, as they stand in configs/logoseg/README.md.
SWITCHES = [
    'prior=None',
    'regions=None',
    'fusion=None',
    'fusion.local=None fusion.context=None',
    'fusion.local=None',
    'fusion.depth=1',
    'fusion.depth=3',
    'prior.weight=0.0',
    'prior.weight=0.5',
    'prior.weight=0.5 prior.learn_weight=True',
    'regions.regions=6',
    'regions.regions=8',
    'type=openvocab.LatentLoGoSegHead cost_kernel=None',
]


def build(*options):
    """The model of OV-Shapes, with options of its head as on a command line."""
    parser = ArgumentParser()
    parser.add_argument('--cfg-options', nargs='+', action=DictAction, default={})
    settings = [f'model.decode_head.{option}' for option in options]
    arguments = ['--cfg-options', *settings] if settings else []
    cfg = Config.fromfile(TINY)
    cfg.merge_from_dict(parser.parse_args(arguments).cfg_options)
    init_default_scope('mmseg')
    torch.manual_seed(0)
    return MODELS.build(cfg.model)


@pytest.mark.parametrize('switch', SWITCHES)
def test_ablations_from_the_command_line_train_and_test(switch):
    model = build(*switch.split())
    inputs, samples = random_segmentation_batch(2, (64, 64), classes=46)
    data = dict(inputs=inputs, data_samples=samples)
    batch = model.data_preprocessor(data, True)
    loss, _ = model.train().parse_losses(model(**batch, mode='loss'))
    loss.backward()
    trained = {n: p for n, p in model.named_parameters() if p.requires_grad}
    assert not [n for n, p in trained.items() if p.grad is None]
    found = model.eval().test_step(data)
    assert all(s.pred_sem_seg.data.shape == (1, *s.ori_shape) for s in found)


def test_ablations_remove_parameters():
    def count(*options):
        return sum(p.numel() for p in build(*options).decode_head.parameters())

    whole = count()
    assert count('prior=None') == whole  # lambda is no parameter unless it is learned
    assert count('prior.weight=0.5', 'prior.learn_weight=True') == whole + 1
    one, two = count('fusion.depth=1'), count('fusion.depth=2')
    assert two == whole and count('fusion.depth=3') - two == two - one
    for switch in ('regions=None', 'fusion=None', 'fusion.local=None'):
        assert count(switch) < whole


def test_recipe():
    """Section 3.2: text frozen, image tower at a hundredth, warm-up, then cosine."""
    model, recipe = build(), Config.fromfile(RECIPE)
    wrapper = build_optim_wrapper(model, recipe.optim_wrapper)
    rates = {
        id(parameter): (group['lr'], group['weight_decay'])
        for group in wrapper.optimizer.param_groups
        for parameter in group['params']
    }
    for name, parameter in model.named_parameters():
        if not parameter.requires_grad:
            assert id(parameter) not in rates
            continue
        rate, decay = rates[id(parameter)]
        assert rate == pytest.approx(2e-4 if name.startswith('decode_head') else 2e-6)
        free = 'norm' in name or name.endswith(('decay_log', 'skip_weight'))
        assert decay == (0 if free else 1e-4), name
    names = {n for n, p in model.named_parameters() if p.requires_grad}
    tower = {n for n in names if not n.startswith('decode_head.')}
    assert tower and all(n.startswith('backbone.') for n in tower)
    assert all(n.endswith(('.q_weight', '.v_weight')) for n in tower)


def test_schedule():
    recipe = Config.fromfile(RECIPE)
    parameter = torch.nn.Parameter(torch.zeros(1))
    optimizer = torch.optim.SGD([parameter], lr=1.0)
    warm_up, cosine = (
        PARAM_SCHEDULERS.build(each, default_args=dict(optimizer=optimizer))
        for each in recipe.param_scheduler
    )
    assert isinstance(cosine, CosineAnnealingLR)
    rates = []
    for _ in range(recipe.train_cfg.max_iters):
        rates.append(optimizer.param_groups[0]['lr'])
        optimizer.step()
        warm_up.step()
        cosine.step()
    assert rates[0] == pytest.approx(1e-3) and max(rates) == pytest.approx(1)
    assert rates.index(max(rates)) == pytest.approx(1500, abs=1)
    assert rates[40750] == pytest.approx(0.5, abs=1e-3)
    assert 0 <= rates[-1] < 1e-6


@torch.no_grad()
def test_any_number_of_classes_without_building_again():
    model = build().eval()
    state = {name: value.clone() for name, value in model.state_dict().items()}
    images = torch.randn(1, 3, 64, 96)
    for count in (1, 171, 847):
        model.set_vocabulary([f'thing {i}' for i in range(count)])
        logits = model(images)
        assert logits.shape == (1, count, 16, 24) and logits.isfinite().all()
    own = {n: v for n, v in state.items() if n.startswith('decode_head.')}
    assert own.keys() == {n for n in model.state_dict() if n in own}
    for name, value in own.items():
        assert torch.equal(model.state_dict()[name], value)


def test_predictions_of_a_batch_equal_those_of_its_images():
    model = build().eval()
    inputs, samples = random_segmentation_batch(
        sizes=[(64, 96), (80, 64)], ori_shapes=[(100, 90), (31, 47)], classes=46
    )
    together = model.test_step(dict(inputs=inputs, data_samples=samples))
    for image, sample, found in zip(inputs, samples, together, strict=True):
        (alone,) = model.test_step(dict(inputs=[image], data_samples=[sample]))
        assert torch.equal(alone.pred_sem_seg.data, found.pred_sem_seg.data)


def bilinear(maps, size):
    """Eq. (12) pixel by pixel: (K, h, w) to (K, H, W), corners not aligned."""
    out = torch.zeros(len(maps), *size)
    sides = maps.shape[-2:]
    for i in range(size[0]):
        for j in range(size[1]):
            corners = []
            for position, new, side in zip((i, j), size, sides, strict=True):
                at = max((position + 0.5) * side / new - 0.5, 0)
                low = min(int(at), side - 1)
                corners.append((low, min(low + 1, side - 1), at - low))
            (top, bottom, y), (left, right, x) = corners
            upper = (1 - x) * maps[:, top, left] + x * maps[:, top, right]
            lower = (1 - x) * maps[:, bottom, left] + x * maps[:, bottom, right]
            out[:, i, j] = (1 - y) * upper + y * lower
    return out


@torch.no_grad()
@pytest.mark.parametrize('size', [(8, 12), (7, 5), (3, 4), (2, 9)])
def test_logits_are_resized_as_by_a_loop(size):
    logits = torch.randn(4, 3, 4)
    expected = bilinear(logits, size)
    torch.testing.assert_close(resize(logits, size), expected, atol=1e-5, rtol=1e-5)
    labels = torch.randint(-1, 4, (1, *size))
    loss = OVBCELoss(ignored_as_negative=False)
    torch.testing.assert_close(loss(logits[None], labels), loss(expected[None], labels))


@pytest.mark.slow
def test_memory_of_847_classes_at_real_size():
    """One window of 384 x 384, float32; the whole process."""
    process, model = memory_of_847_classes(dict(type='openvocab.LoGoSegHead'))
    assert process < 1.75 * 2**30 and model < 2**30, (process, model)
