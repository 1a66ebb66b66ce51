import os
from pathlib import Path

import pytest
import torch
from safetensors.torch import save_file

from openvocab.converters.checkpoint_file import (
    CheckpointError,
    read_metadata,
    read_state_dict,
)


class Payload:
    """Creates a file when it is unpickled."""

    def __init__(self, path: Path) -> None:
        self.path = str(path)

    def __reduce__(self):
        return os.mkdir, (self.path,)


@pytest.mark.parametrize('suffix', ['.pt', '.pth', '.bin'])
def test_code_is_refused_and_never_runs(tmp_path, suffix):
    path, trace = tmp_path / f'evil{suffix}', tmp_path / 'trace'
    torch.save({'state_dict': {'w': torch.ones(1)}, 'x': Payload(trace)}, path)
    with pytest.raises(
        CheckpointError, match=r'carries code.*\(\w+\.mkdir\)'
    ) as caught:
        read_state_dict(path)
    assert str(path) in str(caught.value) and '\n' not in str(caught.value)
    assert not trace.exists()


def test_attributes_of_classes_are_refused(tmp_path):
    content = {'w': torch.ones(1), 'x': torch.nn.Linear.reset_parameters}
    torch.save(content, tmp_path / 'a.pt')
    with pytest.raises(CheckpointError, match='carries code'):
        read_state_dict(tmp_path / 'a.pt')


@pytest.mark.parametrize('suffix', ['.pt', '.safetensors'])
@pytest.mark.parametrize(
    'kind', ['truncated', 'header', 'text', 'empty', 'page', 'pointer']
)
def test_damaged_files(tmp_path, suffix, kind):
    path = tmp_path / f'broken{suffix}'
    state = {'w': torch.randn(100)}
    (save_file if suffix == '.safetensors' else torch.save)(state, path)
    whole = path.read_bytes()
    content, message = dict(
        truncated=(whole[: len(whole) // 2], 'it is truncated'),
        header=(whole[:12], 'truncated'),
        text=(b'not found\n', 'truncated or corrupt|no safetensors file'),
        empty=(b'', 'it is empty'),
        page=(b'<!DOCTYPE html><html>', 'it is a web page'),
        pointer=(b'version https://git-lfs.github.com/spec/v1\n', 'pointer of git-lfs'),
    )[kind]
    path.write_bytes(content)
    with pytest.raises(CheckpointError, match=message) as caught:
        read_state_dict(path)
    assert str(path) in str(caught.value) and '\n' not in str(caught.value)


def test_what_is_not_a_checkpoint(tmp_path):
    with pytest.raises(FileNotFoundError, match=r'gone\.pt does not exist'):
        read_state_dict(tmp_path / 'gone.pt')
    (tmp_path / 'x.npz').write_bytes(b'')
    with pytest.raises(CheckpointError, match=r"unknown suffix '\.npz'"):
        read_state_dict(tmp_path / 'x.npz')
    for content in ([1, 2], {}, {'epoch': 3}, {'state_dict': {}}):
        torch.save(content, tmp_path / 'none.pt')
        with pytest.raises(CheckpointError, match='no state dict of tensors'):
            read_state_dict(tmp_path / 'none.pt')


def test_training_checkpoints_are_unwrapped(tmp_path):
    content = dict(meta=dict(epoch=1), state_dict={'w': torch.ones(2), 'n': 3})
    torch.save(content, tmp_path / 'epoch_1.pth')
    assert list(read_state_dict(tmp_path / 'epoch_1.pth')) == ['w']


def test_metadata(tmp_path):
    path = tmp_path / 'a.safetensors'
    save_file({'w': torch.ones(1)}, path, metadata={'openvocab': '{"arch": "x"}'})
    assert read_metadata(path) == {'arch': 'x'}
    save_file({'w': torch.ones(1)}, path)
    assert read_metadata(path) == {}
    assert read_metadata(tmp_path / 'a.pt') == {}
