"""Rules, operations and the account that an adapter gives of every key."""

import pytest
import torch

from openvocab.checkpoints import CheckpointError
from openvocab.converters import (
    ADAPTERS,
    Adapter,
    Drop,
    KeyRule,
    detect,
    register_adapter,
)
from openvocab.converters.key_rule import prefixed, template_pattern
from openvocab.converters.tensor_op import Chunk, Concat, Transpose, Unsqueeze


class Toy(Adapter):
    family = 'toy'
    licence = 'none'
    rules = (
        KeyRule(('b.{i}.q', 'b.{i}.k'), 'block.{i}.qk', Concat()),
        KeyRule('w12.{p}', ('gate.{p}', 'value.{p}'), Chunk()),
        KeyRule('proj', 'proj.weight', Transpose()),
        KeyRule('token', 'token', Unsqueeze((0, 1))),
        KeyRule('v.{rest:.+}', 'visual.{rest}'),
    )
    drops = (Drop('rope.{rest:.+}', 'computed'),)
    required = ('block.{i}.qk', 'proj.weight')
    marks = ('b.{i}.q', 'token')


def upstream() -> dict[str, torch.Tensor]:
    return {
        'b.0.q': torch.randn(2, 3),
        'b.0.k': torch.randn(2, 3),
        'b.1.k': torch.randn(2, 3),
        'b.1.q': torch.randn(2, 3),
        'w12.weight': torch.randn(4, 3),
        'proj': torch.randn(2, 5),
        'token': torch.randn(4),
        'v.a.b': torch.randn(1),
        'rope.x.y': torch.zeros(1),
    }


def test_there_and_back_with_operations():
    torch.manual_seed(0)
    released = upstream()
    conversion = Toy().from_upstream(dict(state_dict=released, epoch=1))
    assert conversion.problems == () and conversion.dropped == {'rope.x.y': 'computed'}
    assert {k: tuple(v.shape) for k, v in conversion.state.items()} == {
        'block.0.qk': (4, 3),
        'block.1.qk': (4, 3),
        'gate.weight': (2, 3),
        'value.weight': (2, 3),
        'proj.weight': (5, 2),
        'token': (1, 1, 4),
        'visual.a.b': (1,),
    }
    assert conversion.mapped['b.1.q'] == ('block.1.qk',)
    assert conversion.mapped['w12.weight'] == ('gate.weight', 'value.weight')
    qk = conversion.state['block.1.qk']
    assert torch.equal(qk, torch.cat([released['b.1.q'], released['b.1.k']]))
    back = Toy().to_upstream(conversion.state)
    assert back.keys() == released.keys() - {'rope.x.y'}
    assert all(torch.equal(back[key], released[key]) for key in back)
    assert all(value.is_contiguous() for value in back.values())


def test_parts_that_are_missing():
    released = upstream()
    del released['b.0.q'], released['proj']
    missing = Toy().from_upstream(released).missing
    assert missing == ('b.0.q', 'block.0.qk', 'proj.weight')
    state = Toy().from_upstream(upstream()).state
    del state['gate.weight']
    with pytest.raises(CheckpointError, match=r"toy: 'gate\.weight' is missing"):
        Toy().to_upstream(state)


def test_two_keys_for_one():
    class Clash(Toy):
        rules = (KeyRule('a.{p}', 'x.{p}'), KeyRule('b.{p}', 'x.{p}'))

    state = {'a.w': torch.ones(1), 'b.w': torch.ones(1)}
    with pytest.raises(CheckpointError, match=r"'b\.w' and another key give 'x\.w'"):
        Clash().from_upstream(state)


@pytest.mark.parametrize(
    'key, shape',
    [('b.0.q', (3, 3)), ('w12.weight', (3, 3)), ('proj', (3,)), ('w12.weight', ())],
)
def test_shapes_that_an_operation_cannot_take(key, shape):
    with pytest.raises(CheckpointError, match='shape') as caught:
        Toy().from_upstream({**upstream(), key: torch.zeros(shape)})
    assert key[:2] in str(caught.value)


def test_axes_of_length_one_only_are_taken_away():
    with pytest.raises(CheckpointError, match='no axis of length 1'):
        Toy().to_upstream({'token': torch.zeros(1, 2, 4)})
    values = torch.randn(1, 1, 3)
    (out,) = Unsqueeze((0, 1)).invert([values], 1)
    assert torch.equal(out, values[0, 0])


def test_rules_that_cannot_be_turned_round():
    with pytest.raises(ValueError, match='fields'):
        KeyRule('a.{i}.b', 'a.b')
    with pytest.raises(ValueError, match='need an op'):
        KeyRule(('a', 'b'), 'c')


def test_templates():
    assert template_pattern('a.{i}.b').fullmatch('a.12.b')
    assert not template_pattern('a.{i}.b').fullmatch('a.1.2.b')
    assert template_pattern('{x:a|b}.c').fullmatch('b.c')
    assert not template_pattern('a.b').fullmatch('axb')
    twice = KeyRule('a.{i}.n{i}', 'b.{i}')
    assert twice.match_upstream('a.3.n3') == {'i': '3'}
    assert twice.match_upstream('a.3.n4') is None
    assert twice.upstream_keys({'i': '7'}) == ('a.7.n7',)


def test_rules_inside_another_model():
    rule, *_ = prefixed(Toy.rules, 'model.', 'backbone.')
    fields = rule.match_upstream('model.b.4.k')
    assert fields == {'i': '4'} and rule.match_upstream('b.4.k') is None
    assert rule.upstream_keys(fields) == ('model.b.4.q', 'model.b.4.k')
    assert rule.our_keys(fields) == ('backbone.block.4.qk',)


def test_families_are_known_by_name_and_by_keys(monkeypatch):
    monkeypatch.setattr('openvocab.converters.adapter.ADAPTERS', dict(ADAPTERS))
    register_adapter(Toy)
    assert isinstance(detect(upstream()), Toy)
    with pytest.raises(ValueError, match="already an adapter for the family 'toy'"):
        register_adapter(Toy)
    with pytest.raises(CheckpointError, match=r'no known family: .*eva_clip'):
        detect({'some.weight': torch.ones(1)})


def test_a_number_without_end_costs_nothing():
    state = {**upstream(), 'b.99999999999.q': torch.ones(1)}
    assert 'b.99999999999.k' in Toy().from_upstream(state).missing
