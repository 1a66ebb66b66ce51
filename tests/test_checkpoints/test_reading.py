import os
import pickle
from pathlib import Path

import pytest
import torch
from safetensors.torch import save_file

from openvocab.checkpoints.pickle_scan import scan_pickle
from openvocab.checkpoints.reading import (
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


@pytest.mark.parametrize('protocol', range(pickle.HIGHEST_PROTOCOL + 1))
@pytest.mark.parametrize('archive', [False, True], ids=['bare', 'archive'])
def test_code_of_any_protocol_is_called_so(tmp_path, protocol, archive):
    path, trace = tmp_path / 'evil.pth', tmp_path / 'trace'
    content = {'w': torch.ones(1), 'x': Payload(trace)}
    if archive:
        torch.save(content, path, pickle_protocol=protocol)
    else:
        path.write_bytes(pickle.dumps(Payload(trace), protocol))
    with pytest.raises(CheckpointError, match=r'carries code.*\(\w+\.mkdir\)'):
        read_state_dict(path)
    assert not trace.exists()


@pytest.mark.parametrize('old', [False, True], ids=['archive', 'old format'])
def test_protocols_that_torch_does_not_read(tmp_path, old):
    path = tmp_path / 'a.pth'
    settings = dict(pickle_protocol=4, _use_new_zipfile_serialization=not old)
    torch.save({'w': torch.nn.Parameter(torch.ones(1))}, path, **settings)
    with pytest.raises(CheckpointError, match='with protocol 4, which cannot be read'):
        read_state_dict(path)


def test_names_in_half_a_file_of_tensors_are_no_code(tmp_path):
    path = tmp_path / 'a.pth'
    state = {'w': torch.ones(3), 'h': torch.ones(2, dtype=torch.bfloat16)}
    torch.save(state, path, _use_new_zipfile_serialization=False)
    whole = path.read_bytes()
    for length in range(20, len(whole), 40):
        path.write_bytes(whole[:length])
        content = scan_pickle(path)
        assert content is None or not content.foreign


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
