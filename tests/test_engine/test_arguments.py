import argparse

import pytest
import torch

from openvocab.engine import argument_types as types
from openvocab.engine.arguments import add_cfg_options, add_device, add_key_values


@pytest.fixture
def parser():
    parser = argparse.ArgumentParser()
    add_cfg_options(parser)
    add_key_values(parser, '--more', 'more')
    add_device(parser)
    return parser


def test_options_are_a_dict_and_words(parser):
    args = parser.parse_args(['--cfg-options', 'a.b=1', 'c=[2,x]', '--more', 'd=x=y'])
    assert args.cfg_options == {'a.b': 1, 'c': [2, 'x']} and args.more == {'d': 'x=y'}
    assert args.raw_cfg_options == ['a.b=1', 'c=[2,x]']
    args = parser.parse_args([])
    assert args.cfg_options is None and args.raw_cfg_options == []


@pytest.mark.parametrize(
    ('words', 'message'),
    [
        (['--cfg-options', 'a.b'], "--cfg-options: 'a.b' is not KEY=VALUE"),
        (['--cfg-options', 'a=1', '=2'], "'=2' is not KEY=VALUE"),
        (['--more', 'a=[1,(2'], 'brackets'),
        (['--device', 'gpu'], "'gpu' is no device"),
        (['--device', 'cuda:99'], 'no device cuda:99 here'),
    ],
)
def test_wrong_words_are_named(parser, capsys, words, message):
    with pytest.raises(SystemExit):
        parser.parse_args(words)
    assert message in capsys.readouterr().err


def test_a_device_that_is_there(parser, monkeypatch):
    assert parser.parse_args(['--device', 'cpu']).device == 'cpu'
    monkeypatch.setattr(torch.cuda, 'device_count', lambda: 0)
    with pytest.raises(argparse.ArgumentTypeError, match='no device cuda here'):
        types.available_device('cuda')
    monkeypatch.setattr(torch.cuda, 'device_count', lambda: 2)
    assert types.available_device('cuda:1') == 'cuda:1'


@pytest.mark.parametrize(
    ('kind', 'good', 'bad'),
    [
        (types.positive_int, '1', ('0', '-2', 'x')),
        (types.non_negative_int, '0', ('-1', '1.5')),
        (types.picture_file, 'a.png', ('a.txt', 'a', '.png')),
        (types.figure_file, 'a.PDF', ('a.txt', 'a')),
    ],
)
def test_values_and_files(kind, good, bad):
    assert str(kind(good)) == good
    for text in bad:
        with pytest.raises((argparse.ArgumentTypeError, ValueError)):
            kind(text)
