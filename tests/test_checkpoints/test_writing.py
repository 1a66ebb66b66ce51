import hashlib

import pytest
import torch

from openvocab.checkpoints.reading import (
    CheckpointError,
    read_metadata,
    read_state_dict,
    under,
)
from openvocab.checkpoints.writing import write_safetensors


def test_what_is_written_is_read(tmp_path):
    whole = torch.arange(6.0, requires_grad=True).reshape(2, 3)
    state = dict(whole=whole, shared=whole[0], turned=whole.T)
    path = tmp_path / 'folder' / 'a.safetensors'
    sha256 = write_safetensors(path, state, dict(arch='ViT-B-16'))
    assert sha256 == hashlib.sha256(path.read_bytes()).hexdigest()
    assert read_metadata(path) == dict(arch='ViT-B-16')
    read = read_state_dict(path)
    assert read.keys() == state.keys()
    assert all(torch.equal(read[key], state[key]) for key in state)
    write_safetensors(path, state)
    assert read_metadata(path) == {}


def test_another_suffix_writes_nothing(tmp_path):
    with pytest.raises(CheckpointError, match=r'a\.pth: .* a \.safetensors file'):
        write_safetensors(tmp_path / 'a.pth', dict(a=torch.zeros(1)))
    assert not list(tmp_path.iterdir())


def test_under_a_prefix():
    assert under({'a.a.b': 1, 'b.a.': 2, 'a.': 3}, 'a.') == {'a.b': 1, '': 3}
