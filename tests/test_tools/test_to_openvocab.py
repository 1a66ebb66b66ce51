"""The command line of the converter, on small released files."""

import hashlib
import runpy
import sys
from pathlib import Path

import pytest
import torch

from helpers.tiny_clip import write_arch
from openvocab.checkpoints.reading import read_metadata, read_state_dict
from openvocab.converters import ADAPTERS
from openvocab.converters.conversion import inspect_file, write_conversion
from openvocab.models.clip_factory import create_clip

VISION = dict(
    image_size=224,
    timm_model_name='eva02_tiny_patch14_224',
    timm_pool='token',
    timm_proj=None,
)


@pytest.fixture
def arch(tmp_path) -> str:
    return write_arch(tmp_path / 'eva.json', VISION)


@pytest.fixture
def released(tmp_path) -> str:
    """OpenAI's keys, the architecture being one that the package ships."""
    torch.manual_seed(0)
    state = dict(create_clip('ov-shapes-u').state_dict())
    torch.save(state, tmp_path / 'clip.pt')
    return str(tmp_path / 'clip.pt')


@pytest.fixture
def run(repo_root, monkeypatch, capsys):
    """Runs the tool; gives what it printed, and its error if it ended with one."""

    def run(*args: str) -> tuple[str, str | None]:
        monkeypatch.setattr(sys, 'argv', ['to_openvocab.py', *args])
        monkeypatch.setenv('COLUMNS', '300')
        error = None
        try:
            runpy.run_path(
                str(repo_root / 'tools/model_converters/to_openvocab.py'),
                run_name='__main__',
            )
        except SystemExit as stop:
            error = str(stop.code)
        return capsys.readouterr().out, error

    return run


def test_report_and_file(run, released, tmp_path):
    out = tmp_path / 'new' / 'out.safetensors'
    printed, error = run('--rows', '5', released, str(out))
    assert error is None
    state = torch.load(released, weights_only=True)
    assert f'mapped: {len(state)}' in printed
    assert f'... and {len(state) - 5} more' in printed
    assert 'dropped: 0' in printed and 'missing or wrong: 0' in printed
    digest = hashlib.sha256(out.read_bytes()).hexdigest()
    assert f'{out}  sha256 {digest}' in printed
    written = read_state_dict(out)
    assert written.keys() == state.keys()
    assert all(torch.equal(written[key], state[key]) for key in state)
    record = read_metadata(out)
    source = hashlib.sha256(Path(released).read_bytes()).hexdigest()
    assert record['source'] == dict(name='clip.pt', sha256=source)
    assert record['family'] == 'open_clip' and 'model card' in record['licence']
    assert record['arch'] == 'ov-shapes-u' and len(record['mean']) == 3


@pytest.mark.parametrize(
    'key, problem',
    [('visual.proj', "no 'visual.proj'"), ('logit_scale', "no 'logit_scale'")],
)
def test_nothing_is_written_when_something_is_missing(
    run, released, tmp_path, key, problem
):
    state = torch.load(released, weights_only=True)
    del state[key]
    torch.save(state, released)
    out = tmp_path / 'out.safetensors'
    printed, error = run('--arch', 'ov-shapes-u', released, str(out))
    assert not out.exists() and problem in printed
    assert error == f'to_openvocab: checkpoint {released}: {problem}'


def test_a_family_that_the_keys_do_not_tell_must_be_named(arch, tmp_path):
    path = tmp_path / 'epoch_6.pt'
    state = ADAPTERS['eva_clip'].to_upstream(create_clip(arch).state_dict())
    torch.save(dict(epoch=6, name='x', state_dict=state, optimizer={}), path)
    with pytest.raises(ValueError, match=r'clipself, declip, densevlm.*--from'):
        inspect_file(path, arch=arch)
    found = inspect_file(path, 'densevlm', arch)
    assert found.problems == () and found.family == 'densevlm'
    out = tmp_path / 'out.safetensors'
    write_conversion(found, out)
    assert read_metadata(out)['readout']['type'] == 'ValueReadout'
    loaded = create_clip(arch, out).state_dict()
    as_it_is = create_clip(arch, path).state_dict()
    assert all(torch.equal(loaded[key], as_it_is[key]) for key in as_it_is)
    torch.save(state, path)
    assert inspect_file(path, arch=arch).family == 'eva_clip'


def test_wrong_requests(released, arch, tmp_path):
    with pytest.raises(ValueError, match="no family 'nothing'"):
        inspect_file(released, 'nothing')
    with pytest.raises(ValueError, match='takes no such options: a'):
        inspect_file(released, 'open_clip', options=dict(a=1))
    with pytest.raises(ValueError, match='unknown CLIP architecture'):
        inspect_file(released, arch='ViT-Z')
    assert inspect_file(released, arch=arch).problems
    with pytest.raises(ValueError, match=r'\.safetensors file'):
        write_conversion(inspect_file(released), tmp_path / 'out.pt')
    assert not (tmp_path / 'out.pt').exists()
