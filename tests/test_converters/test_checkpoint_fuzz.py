"""Broken, foreign and malicious checkpoints: a message, no code, no half a file."""

import os
import random
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from safetensors.torch import save_file

from helpers.clip_releases import openai_vit, save_archive, with_values
from helpers.tiny_clip import write_arch
from openvocab.checkpoints import CheckpointError
from openvocab.checkpoints.reading import read_metadata, read_state_dict
from openvocab.converters.conversion import inspect_file, write_conversion
from openvocab.models.clip_factory import create_clip

SHAPES = {
    key: tuple(64 if side == 49408 else side for side in shape)
    for key, shape in openai_vit(16, 64, 1, 8, 4, 64, 1).items()
}
State = dict[str, torch.Tensor]


class Payload:
    """Makes a folder when it is unpickled."""

    def __init__(self, path: Path) -> None:
        self.path = str(path)

    def __reduce__(self):
        return os.mkdir, (self.path,)


def drop_some(state: State, rng: random.Random) -> None:
    for key in rng.sample(sorted(state), rng.randint(1, 5)):
        del state[key]


def rename_some(state: State, rng: random.Random) -> None:
    names = ('', 'x', '.', 'visual', 'visual.', 'a' * 5000, 'visual.blocks.9999999.a')
    for key in rng.sample(sorted(state), 3):
        state[rng.choice(names) + rng.choice((key, ''))] = state.pop(key)


def add_some(state: State, rng: random.Random) -> None:
    for index in range(rng.randint(1, 9)):
        state[f'visual.transformer.resblocks.{rng.randint(0, 10**6)}.{index}'] = (
            torch.ones(1)
        )


def reshape_some(state: State, rng: random.Random) -> None:
    for key in rng.sample(sorted(state), 3):
        value = state[key]
        state[key] = rng.choice((value[None], value.flatten()[:1], value.flatten()[:0]))


def retype_some(state: State, rng: random.Random) -> None:
    types = (torch.int64, torch.bool, torch.uint8, torch.complex64)
    for key in rng.sample(sorted(state), 3):
        state[key] = state[key].to(rng.choice(types))


def mix_in_values(state: State, rng: random.Random) -> None:
    for key in rng.sample(sorted(state), 3):
        state[key] = rng.choice((None, 3, 'text', [1], {}, {'a': torch.ones(1)}))


def make_keys_no_names(state: State, rng: random.Random) -> None:
    for key in rng.sample(sorted(state), 3):
        state[rng.choice((1, None, (1, 2), True, 0.5))] = state.pop(key)


EDITS = (
    drop_some,
    rename_some,
    add_some,
    reshape_some,
    retype_some,
    mix_in_values,
    make_keys_no_names,
)


def save_zip(state: State, path: Path) -> None:
    torch.save(state, path)


def save_old(state: State, path: Path) -> None:
    torch.save(state, path, _use_new_zipfile_serialization=False)


def save_nested(state: State, path: Path) -> None:
    state = {f'module.{key}': value for key, value in state.items()}
    torch.save(dict(epoch=1, state_dict=state, optimizer={}), path)


def save_plain(state: State, path: Path) -> None:
    save_file(state, path.with_suffix('.safetensors'))


WRITERS = (save_zip, save_old, save_nested, save_plain)


@pytest.fixture(scope='module')
def arch(tmp_path_factory) -> str:
    path = tmp_path_factory.mktemp('arch') / 'tiny.json'
    vision = dict(image_size=32, patch_size=8, width=64, head_width=64, layers=1)
    text = dict(context_length=77, vocab_size=64, width=64, heads=1, layers=1)
    return write_arch(path, vision, text)


@pytest.fixture
def state() -> State:
    torch.manual_seed(0)
    return with_values(SHAPES)


def works_or_says_why(path: Path, arch: str) -> bool:
    """Converts and loads a file: it works wholly, or there is one line on why not."""
    out = path.parent / 'out' / 'out.safetensors'
    done = True
    for use in (convert, load):
        try:
            use(path, arch, out)
        except CheckpointError as error:
            message = str(error)
            assert path.stem in message and '\n' not in message and len(message) < 9000
            done = False
    if out.is_file():
        assert read_state_dict(out) and read_metadata(out)['family'] == 'openai'
    names = [p.name for p in out.parent.glob('*')] if out.parent.exists() else []
    assert names in ([], ['out.safetensors'])
    return done


def convert(path: Path, arch: str, out: Path) -> None:
    write_conversion(inspect_file(path, 'openai', arch), out)


def load(path: Path, arch: str, out: Path) -> None:
    create_clip(arch, path)


def test_the_file_itself_is_good(state, arch, tmp_path):
    for writer in (*WRITERS, save_archive):
        writer(state, tmp_path / 'good.pt')
        suffix = '.safetensors' if writer is save_plain else '.pt'
        assert works_or_says_why(tmp_path / f'good{suffix}', arch)


@pytest.mark.parametrize('seed', range(3))
@pytest.mark.parametrize('edit', EDITS)
@pytest.mark.parametrize('writer', WRITERS)
def test_edited_states(
    writer: Callable, edit: Callable, seed: int, state, arch, tmp_path
):
    edit(state, random.Random(seed))
    path = tmp_path / 'edited.pt'
    if writer is save_plain:
        if edit in (mix_in_values, make_keys_no_names):
            state['note'] = torch.ones(1)  # the format holds nothing but tensors
            state = {k: v for k, v in state.items() if isinstance(k, str)}
            state = {k: v for k, v in state.items() if isinstance(v, torch.Tensor)}
        path = tmp_path / 'edited.safetensors'
    writer(state, path)
    assert not works_or_says_why(path, arch)


@pytest.mark.filterwarnings('ignore:Detected pickle protocol')
@pytest.mark.parametrize('seed', range(12))
@pytest.mark.parametrize('writer', (*WRITERS, save_archive))
def test_cut_and_overwritten_files(writer: Callable, seed: int, state, arch, tmp_path):
    rng = random.Random(seed)
    suffix = '.safetensors' if writer is save_plain else '.pt'
    path = tmp_path / f'torn{suffix}'
    writer(state, path)
    whole = path.read_bytes()
    if seed % 2:
        path.write_bytes(whole[: rng.randrange(len(whole) - 1)])
        assert not works_or_says_why(path, arch)
        return
    # Headers and the end are where readers look; a changed value shows nowhere.
    content = bytearray(whole)
    for _ in range(40):
        span = rng.choice((64, 512, 4096, len(whole)))
        place = rng.randrange(span)
        content[place if rng.random() < 0.5 else -1 - place] = rng.randrange(256)
    path.write_bytes(content)
    works_or_says_why(path, arch)


@pytest.mark.parametrize('place', ['beside', 'inside', 'key', 'deep', 'alone'])
@pytest.mark.parametrize('old', [False, True])
def test_code_never_runs(place: str, old: bool, state, arch, tmp_path):
    trace = tmp_path / 'trace'
    bad = Payload(trace)
    content = dict(
        beside=dict(state_dict=state, config=bad),
        inside=dict(state, note=bad),
        key={**state, 'visual.proj': bad},
        deep=dict(state_dict=state, a=[{'b': (1, [bad])}]),
        alone=bad,
    )[place]
    path = tmp_path / 'evil.pt'
    torch.save(content, path, _use_new_zipfile_serialization=not old)
    assert not works_or_says_why(path, arch)
    assert not trace.exists()


def test_code_under_another_name_never_runs(state, arch, tmp_path):
    trace = tmp_path / 'trace'
    for name in ('a.safetensors', 'a.bin', 'a.pth', 'a.ckpt', 'a'):
        torch.save(dict(state, note=Payload(trace)), tmp_path / name)
        assert not works_or_says_why(tmp_path / name, arch)
        assert not trace.exists()


def test_archives_with_odd_members(state, arch, tmp_path):
    good, path = tmp_path / 'good.pt', tmp_path / 'odd.pt'
    torch.save(state, good)
    with zipfile.ZipFile(good) as file:
        members = {name: file.read(name) for name in file.namelist()}
    first = next(name for name in members if '/data/' in name)
    for change in (
        {first: None},
        {first: b'12'},
        {'good/data.pkl': b'\x80\x02}.'},
        {'good/data.pkl': b''},
        {'good/constants.pkl': b'x'},
        {'good/version': b'999999'},
        {'good/byteorder': b'pdp'},
    ):
        with zipfile.ZipFile(path, 'w', zipfile.ZIP_STORED) as file:
            for name, content in {**members, **change}.items():
                if content is not None:
                    file.writestr(name, content)
        assert not works_or_says_why(path, arch) or 'good/version' in change
