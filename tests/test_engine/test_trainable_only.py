import pytest
import timm
import torch
from mmengine.optim import build_optim_wrapper
from torch import nn

import openvocab.engine  # noqa: F401


class Toy(nn.Module):
    def __init__(self):
        super().__init__()
        self.student = nn.Sequential(nn.Linear(3, 4), nn.LayerNorm(4), nn.Linear(4, 2))
        self.teacher = nn.Linear(3, 2).requires_grad_(False)
        self.student[2].bias.requires_grad_(False)


def build(model, **kwargs):
    return build_optim_wrapper(
        model,
        dict(
            type='OptimWrapper',
            constructor='openvocab.TrainableOnlyConstructor',
            optimizer=dict(type='AdamW', lr=0.1, weight_decay=0.2),
            **kwargs,
        ),
    )


def settings_by_name(model, wrapper):
    names = {id(p): n for n, p in model.named_parameters()}
    return {
        names[id(p)]: (group['lr'], group['weight_decay'])
        for group in wrapper.optimizer.param_groups
        for p in group['params']
    }


@pytest.mark.parametrize('paramwise_cfg', [None, dict(flat_decay_mult=0.0)])
def test_frozen_parameters_never_enter(paramwise_cfg):
    model = Toy()
    found = settings_by_name(model, build(model, paramwise_cfg=paramwise_cfg))
    assert set(found) == {n for n, p in model.named_parameters() if p.requires_grad}


def test_flat_parameters_without_decay():
    model = Toy()
    wrapper = build(model, paramwise_cfg=dict(flat_decay_mult=0.0))
    assert settings_by_name(model, wrapper) == {
        'student.0.weight': (0.1, 0.2),
        'student.0.bias': (0.1, 0.0),
        'student.1.weight': (0.1, 0.0),
        'student.1.bias': (0.1, 0.0),
        'student.2.weight': (0.1, 0.2),
    }
    assert len(wrapper.optimizer.param_groups) == 2


def test_custom_keys_keep_their_meaning():
    model = Toy()
    cfg = dict(custom_keys={'student.0': dict(lr_mult=0.5, decay_mult=0.0)})
    found = settings_by_name(model, build(model, paramwise_cfg=cfg))
    assert found['student.0.weight'] == (0.05, 0.0)
    assert found['student.2.weight'] == (0.1, 0.2)


@pytest.mark.parametrize(
    'key, expected', [({}, (0.001, 0.0)), (dict(decay_mult=0.5), (0.001, 0.1))]
)
def test_norms_of_a_tower_with_its_own_rate_do_not_decay(key, expected):
    model = nn.Module()
    model.backbone = timm.create_model('test_convnext', num_classes=0)
    model.head = nn.Sequential(nn.Conv2d(64, 4, 1), nn.GroupNorm(2, 4))
    cfg = dict(
        norm_decay_mult=0.0, custom_keys=dict(backbone=dict(lr_mult=0.01, **key))
    )
    found = settings_by_name(model, build(model, paramwise_cfg=cfg))
    norms = {
        f'{name}.{parameter}'
        for name, module in model.named_modules()
        if isinstance(module, (nn.LayerNorm, nn.GroupNorm))
        for parameter in ('weight', 'bias')
    }
    towers = {name for name in found if name.startswith('backbone')}
    assert len(norms & towers) > 10
    for name in norms & towers:
        assert found[name] == pytest.approx(expected)
    assert all(found[name] == (0.1, 0.0) for name in norms - towers)
    rest = expected[1] or 0.2
    for name in towers - norms:
        assert found[name] == pytest.approx((0.001, rest))


def test_same_step_as_a_plain_optimizer():
    torch.manual_seed(0)
    model, plain = Toy(), Toy()
    plain.load_state_dict(model.state_dict())
    wrapper = build(model)
    optimizer = torch.optim.AdamW(
        [p for p in plain.parameters() if p.requires_grad], lr=0.1, weight_decay=0.2
    )
    images = torch.randn(5, 3)
    for _ in range(3):
        wrapper.update_params(model.student(images).square().sum())
        optimizer.zero_grad()
        plain.student(images).square().sum().backward()
        optimizer.step()
    for a, b in zip(model.parameters(), plain.parameters(), strict=True):
        torch.testing.assert_close(a, b)


def test_a_shared_parameter_enters_once():
    model = Toy()
    model.tied = nn.Linear(3, 4)
    model.tied.weight = model.student[0].weight
    wrapper = build(model, paramwise_cfg=dict(flat_decay_mult=0.0))
    ids = [id(p) for g in wrapper.optimizer.param_groups for p in g['params']]
    assert len(ids) == len(set(ids))


def test_nothing_to_train():
    with pytest.raises(ValueError, match='Toy has no trainable parameter'):
        build(Toy().requires_grad_(False))


def test_autocast_wrapper_trains_in_float32_on_the_cpu():
    if torch.cuda.is_available():
        pytest.skip('for machines without a GPU')
    model = nn.Linear(3, 2)
    wrapper = build_optim_wrapper(
        model,
        dict(
            type='openvocab.AutocastOptimWrapper',
            optimizer=dict(type='SGD', lr=0.1),
        ),
    )
    with wrapper.optim_context(model):
        out = model(torch.ones(1, 3))
    assert out.dtype == torch.float32
    before = model.weight.clone()
    wrapper.update_params(out.sum())
    torch.testing.assert_close(model.weight, before - 0.1)


@pytest.mark.gpu
def test_autocast_wrapper_uses_bfloat16():
    model = nn.Linear(3, 2).cuda()
    wrapper = build_optim_wrapper(
        model,
        dict(
            type='openvocab.AutocastOptimWrapper',
            optimizer=dict(type='SGD', lr=0.1),
        ),
    )
    with wrapper.optim_context(model):
        out = model(torch.ones(1, 3, device='cuda'))
    assert out.dtype == torch.bfloat16
    wrapper.update_params(out.float().sum())
    assert model.weight.dtype == torch.float32
