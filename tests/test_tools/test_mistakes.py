"""Ordinary mistakes end every tool with one line, before it does any work."""

import runpy
from pathlib import Path

import pytest
import torch

ROOT = Path(__file__).parents[2]
TOOLS = ROOT / 'tools'
WEIGHTS = str(ROOT / 'openvocab/weights/ov-shapes-u.safetensors')
CLIP = str(ROOT / 'configs/clip/clip_ov-shapes-u_ov-shapes.py')
DETECTOR = str(ROOT / 'configs/fvit/fvit_ov-shapes-u_1xb8-1e_ov-shapes.py')
SMALL = ['--train', '2', '--val', '1', '--size', '32']


@pytest.fixture(autouse=True)
def world(tmp_path, monkeypatch):
    """A folder with a file and a folder where tools would write."""
    (tmp_path / 'file').touch()
    (tmp_path / 'taken.safetensors').mkdir()
    monkeypatch.chdir(tmp_path)


def end_of(tool, *words, monkeypatch, capsys):
    """What a tool says at its end."""
    monkeypatch.setattr('sys.argv', [tool, *words])
    with pytest.raises(SystemExit) as stopped:
        runpy.run_path(str(TOOLS / tool), run_name='__main__')
    if stopped.value.code == 2:
        return capsys.readouterr().err.strip().splitlines()[-1]
    return str(stopped.value.code)


@pytest.mark.parametrize(
    ('tool', 'words', 'message'),
    [
        ('dataset_converters/ov_shapes.py', ['--train', '-2'], 'must be at least 1'),
        ('dataset_converters/ov_shapes.py', ['--size', '4'], 'at least 32 px, got 4'),
        ('dataset_converters/ov_shapes.py', ['--out', 'file'], 'file/train: Not a dir'),
        (
            'model_converters/pack_clip.py',
            ['no-arch', WEIGHTS, 'a.safetensors'],
            'no-arch',
        ),
        (
            'model_converters/pack_clip.py',
            ['ov-shapes-u', WEIGHTS, 'taken.safetensors'],
            'taken.safetensors: Is a directory',
        ),
        (
            'model_converters/to_openvocab.py',
            ['--arch', 'ov-shapes-u', WEIGHTS, 'taken.safetensors'],
            'taken.safetensors: Is a directory',
        ),
        (
            'model_converters/to_openvocab.py',
            [WEIGHTS, 'a.safetensors', '--options', 'release'],
            "'release' is not KEY=VALUE",
        ),
        ('analysis_tools/analyze_logs.py', ['run', '--out', 'x.txt'], 'no figure is'),
        ('analysis_tools/region_confusion.py', [CLIP, '--out', 'x.txt'], 'no figure'),
        (
            'analysis_tools/parameter_table.py',
            [CLIP, '--cfg-options', 'model.bogus=1'],
            "argument 'bogus'",
        ),
        (
            'analysis_tools/get_flops.py',
            [CLIP, '--work-dir', 'x'],
            'unrecognized arguments: --work-dir',
        ),
        ('analysis_tools/benchmark.py', [CLIP, '--vs-options', 'a'], 'not KEY=VALUE'),
        (
            'demo/image_demo.py',
            ['a.jpg', DETECTOR, '--device', 'cuda:99'],
            'no device cuda:99 here',
        ),
        (
            'demo/image_demo.py',
            ['a.jpg', DETECTOR, '--cfg-options', 'model.type.x=1'],
            'type',
        ),
        (
            'deployment/export_model.py',
            [
                DETECTOR,
                '--out',
                'a.pt2',
                '--size',
                '64',
                '64',
                '--cfg-options',
                'a=(1,2',
            ],
            'brackets',
        ),
        ('analysis_tools/merge_reports.py', ['file'], 'is not valid json'),
    ],
)
def test_one_line(tool, words, message, monkeypatch, capsys):
    said = end_of(tool, *words, monkeypatch=monkeypatch, capsys=capsys)
    assert said.startswith(Path(tool).stem) and message in said
    assert '\n' not in said
    assert not list(Path().glob('a.*')) and not list(Path().glob('x*'))


def test_a_vfm_is_not_packed_onto_a_folder(monkeypatch, capsys):
    torch.save({'vfm.trunk.a': torch.ones(1)}, 'vfm.pth')
    words = ['vfm.pth', 'taken.safetensors']
    said = end_of(
        'model_converters/pack_vfm.py', *words, monkeypatch=monkeypatch, capsys=capsys
    )
    assert said == 'pack_vfm: taken.safetensors: Is a directory'


def test_ov_shapes_does_not_mix_two_worlds(monkeypatch, capsys):
    main = runpy.run_path(str(TOOLS / 'dataset_converters/ov_shapes.py'))['main']
    main([*SMALL, '--out', 'drawn'])
    assert '1' in capsys.readouterr().out
    with pytest.raises(SystemExit, match=r'^ov_shapes: .*describes another world'):
        main(['--train', '3', '--val', '1', '--size', '32', '--out', 'drawn'])
