import copy

import pytest
import torch
from mmengine.runner.checkpoint import (
    get_state_dict,
    load_checkpoint,
    save_checkpoint,
    weights_to_cpu,
)
from torch import nn

from openvocab.models.freezing import freeze, is_frozen


class Pair(nn.Module):
    """A student that trains beside a teacher with statistics and depth."""

    def __init__(self) -> None:
        super().__init__()
        self.student = nn.Linear(3, 3)
        self.teacher = nn.Sequential(
            nn.Linear(3, 3), nn.BatchNorm1d(3), nn.Sequential(nn.Dropout(0.5))
        )


@pytest.fixture
def pair() -> Pair:
    model = Pair()
    assert freeze(model.teacher) is model.teacher
    return model


def test_no_gradient_and_always_eval(pair):
    assert not any(p.requires_grad for p in pair.teacher.parameters())
    assert all(p.requires_grad for p in pair.student.parameters())
    pair.train()
    assert pair.student.training
    assert not any(module.training for module in pair.teacher.modules())
    assert pair.teacher.train() is pair.teacher and not pair.teacher.training
    assert is_frozen(pair.teacher) and not is_frozen(pair)


@pytest.mark.parametrize('state_dict', [nn.Module.state_dict, get_state_dict])
def test_left_out_of_the_parents_state_dict(pair, state_dict):
    assert set(state_dict(pair)) == {'student.weight', 'student.bias'}
    outer = nn.ModuleDict(dict(a=pair))
    assert set(state_dict(outer)) == {'a.student.weight', 'a.student.bias'}
    assert 'running_mean' in ' '.join(state_dict(pair.teacher))
    assert len(state_dict(pair.teacher)) == 7


def test_strict_load_does_not_miss_it(pair):
    before = copy.deepcopy(pair.teacher.state_dict())
    state = {key: torch.ones_like(value) for key, value in pair.state_dict().items()}
    result = pair.load_state_dict(state, strict=True)
    assert not result.missing_keys and not result.unexpected_keys
    assert (pair.student.weight == 1).all()
    for key, value in pair.teacher.state_dict().items():
        assert torch.equal(value, before[key])


def test_strict_load_still_misses_others(pair):
    state = pair.state_dict()
    del state['student.bias']
    with pytest.raises(RuntimeError, match=r'student\.bias'):
        pair.load_state_dict(state)


def test_a_state_dict_with_its_tensors_loads_them(pair):
    unfrozen = Pair()
    pair.load_state_dict(unfrozen.state_dict(), strict=True)
    assert torch.equal(pair.teacher[0].weight, unfrozen.teacher[0].weight)


def test_mmengine_checkpoint_round_trip(pair, tmp_path, caplog):
    path = str(tmp_path / 'epoch_1.pth')
    save_checkpoint(dict(state_dict=weights_to_cpu(get_state_dict(pair))), path)
    saved = torch.load(path, weights_only=True)['state_dict']
    assert set(saved) == {'student.weight', 'student.bias'}
    other = Pair()
    freeze(other.teacher)
    teacher = copy.deepcopy(other.teacher.state_dict())
    load_checkpoint(other, path, strict=True)
    assert torch.equal(other.student.weight, pair.student.weight)
    assert torch.equal(other.teacher[0].weight, teacher['0.weight'])


def test_freezing_twice_and_deepcopy(pair):
    freeze(pair.teacher)
    twin = copy.deepcopy(pair)
    twin.train()
    assert not twin.teacher.training
    assert twin.teacher.train() is twin.teacher
    assert set(twin.state_dict()) == {'student.weight', 'student.bias'}
    twin.load_state_dict(twin.state_dict(), strict=True)
    with torch.no_grad():
        twin.teacher[0].weight.zero_()
    assert pair.teacher[0].weight.abs().sum() > 0


def test_nested_frozen_modules(pair):
    freeze(pair)
    outer = nn.Sequential(pair, nn.Linear(1, 1))
    assert set(outer.state_dict()) == {'1.weight', '1.bias'}
    outer.load_state_dict(outer.state_dict(), strict=True)
    # as a root of its own, the parent has all but what was frozen inside it before
    assert set(pair.state_dict()) == {'student.weight', 'student.bias'}
