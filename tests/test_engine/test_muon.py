"""Muon and AdamW side by side, as one optimizer."""

import copy

import pytest
import torch
from torch import nn

from openvocab.engine.optimizers import JointOptimizer, MuonConstructor


class Tower(nn.Module):
    def __init__(self):
        super().__init__()
        self.stem = nn.Linear(4, 6)
        self.resblocks = nn.ModuleList([nn.Linear(6, 6) for _ in range(2)])

    def forward(self, x):
        x = self.stem(x)
        for block in self.resblocks:
            x = x + block(x)
        return x


class Model(nn.Module):
    def __init__(self):
        super().__init__()
        self.tower = Tower()


def build(model):
    constructor = MuonConstructor(
        dict(
            type='OptimWrapper',
            optimizer=dict(type='AdamW', lr=1e-2, weight_decay=0.1),
        ),
        dict(flat_decay_mult=0.0),
    )
    return constructor(model)


def step(model, wrapper, seed):
    x = torch.randn(8, 4, generator=torch.Generator().manual_seed(seed))
    wrapper.update_params(model.tower(x).square().mean())


def test_every_parameter_is_in_exactly_one_member():
    model = Model()
    muon, rest = build(model).optimizer.optimizers
    mine = [id(p) for g in muon.param_groups for p in g['params']]
    theirs = [id(p) for g in rest.param_groups for p in g['params']]
    assert set(mine) == {id(b.weight) for b in model.tower.resblocks}
    assert sorted(mine + theirs) == sorted(id(p) for p in model.parameters())
    assert muon.param_groups[0]['lr'] == 1e-2


def test_a_scheduler_reaches_both_members():
    wrapper = build(Model())
    for group in wrapper.param_groups:
        group['lr'] = 0.5
    assert all(
        g['lr'] == 0.5 for o in wrapper.optimizer.optimizers for g in o.param_groups
    )
    assert set(wrapper.get_lr()['lr']) == {0.5}


def test_resuming_continues_exactly():
    torch.manual_seed(0)
    straight = Model()
    halfway = copy.deepcopy(straight)
    wrapper = build(straight)
    for seed in range(4):
        step(straight, wrapper, seed)
    first = build(halfway)
    for seed in range(2):
        step(halfway, first, seed)
    second = build(halfway)
    second.load_state_dict(copy.deepcopy(first.state_dict()))
    for seed in range(2, 4):
        step(halfway, second, seed)
    for a, b in zip(straight.parameters(), halfway.parameters(), strict=True):
        assert torch.equal(a, b)


def test_a_checkpoint_of_another_optimizer_is_refused():
    optimizer = build(Model()).optimizer
    with pytest.raises(ValueError, match='1 optimizers'):
        optimizer.load_state_dict({'optimizers': [{}]})


def test_a_model_without_blocks_is_refused():
    with pytest.raises(ValueError, match='Linear'):
        build(nn.Linear(2, 2))


def test_closure_is_evaluated_once():
    weight = nn.Parameter(torch.ones(2))
    joint = JointOptimizer(torch.optim.SGD([weight], lr=1.0))
    calls = []

    def closure():
        calls.append(1)
        joint.zero_grad()
        loss = weight.sum()
        loss.backward()
        return loss.item()

    assert joint.step(closure) == 2.0
    assert len(calls) == 1 and torch.equal(weight.data, torch.zeros(2))
