import pickle

import pytest
import torch
from mmengine.logging import HistoryBuffer
from mmengine.runner import CheckpointLoader
from safetensors.torch import save_file

from openvocab.engine.safe_loading import load_from_source, refuse_code_in_checkpoints


class Trap:
    """Writes a file when it is unpickled."""

    def __init__(self, path):
        self.path = path

    def __reduce__(self):
        return open, (str(self.path), 'w')


@pytest.fixture
def restored_loader(monkeypatch):
    monkeypatch.setattr(CheckpointLoader, '_schemes', dict(CheckpointLoader._schemes))


def test_code_is_refused_through_mmengine(tmp_path, restored_loader):
    path, mark = tmp_path / 'trap.pth', tmp_path / 'ran'
    torch.save(dict(state_dict={}, trap=Trap(mark)), path)
    refuse_code_in_checkpoints()
    with pytest.raises(ValueError, match=r'trap\.pth: refused.*carries code') as error:
        CheckpointLoader.load_checkpoint(str(path))
    assert '\n' not in str(error.value)
    assert not mark.exists()


def test_code_in_a_legacy_pickle_is_refused(tmp_path):
    path, mark = tmp_path / 'trap.pkl', tmp_path / 'ran'
    path.write_bytes(pickle.dumps(Trap(mark)))
    with pytest.raises(ValueError, match=r'trap\.pkl'):
        load_from_source(path)
    assert not mark.exists()


def test_log_buffers_and_tensors_load(tmp_path):
    path = tmp_path / 'good.pth'
    buffer = HistoryBuffer()
    buffer.update(1.5)
    torch.save(dict(weight=torch.ones(2), log=buffer, seed=3), path)
    loaded = load_from_source(path)
    assert loaded['log'].current() == 1.5
    assert torch.equal(loaded['weight'], torch.ones(2))


def test_safetensors_load(tmp_path):
    path = tmp_path / 'encoder.safetensors'
    save_file(dict(weight=torch.ones(2)), path)
    assert torch.equal(load_from_source(path, 'cpu')['weight'], torch.ones(2))


@pytest.mark.parametrize('content', [b'', b'no checkpoint at all', b'PK\x03\x04half'])
def test_unreadable_file_is_named(tmp_path, content):
    path = tmp_path / 'broken.pth'
    path.write_bytes(content)
    with pytest.raises(ValueError, match=r'broken\.pth') as error:
        load_from_source(path)
    assert '\n' not in str(error.value)


def test_missing_file_is_named(tmp_path):
    with pytest.raises(FileNotFoundError, match='absent'):
        load_from_source(tmp_path / 'absent.pth')
