"""The benchmark tool on the tiny CLIPs."""

import json
import runpy
from pathlib import Path

import pytest

from openvocab.analysis.benchmark import Workload
from openvocab.analysis.benchmark_result import Comparison

ROOT = Path(__file__).parents[2]
CONFIG = str(ROOT / 'configs/densevlm/densevlm_ov-shapes-u_1xb8-1e_ov-shapes.py')
OPTIONS = [
    '--random-weights',
    '--synthetic-images',
    '--batch-size=2',
    '--device=cpu',
    '--warmup=1',
]
PRETRAINING = str(ROOT / 'configs/clip/clip_ov-shapes-u_pretrain_1xb128_ov-shapes.py')
SMALL = """
_base_ = {base!r}
train_dataloader = dict(num_workers=0, persistent_workers=False, dataset=dict(
    pipeline=[
        dict(type='mmcv.LoadImageFromFile'),
        dict(type='mmcv.Resize', scale=(64, 64), keep_ratio=True),
        dict(type='mmcv.Pad', size=(64, 64)),
        dict(type='openvocab.BoundedGridRegions', min_cells_per_side=2),
        dict(type='openvocab.PackRegions'),
    ]))
test_dataloader = dict(num_workers=0, persistent_workers=False)
model = dict(teacher=dict(arch='ov-shapes-u'))
"""


@pytest.fixture
def config(tmp_path):
    path = tmp_path / 'small.py'
    path.write_text(SMALL.format(base=CONFIG))
    return str(path)


@pytest.fixture
def main():
    tool = ROOT / 'tools/analysis_tools/benchmark.py'
    return runpy.run_path(str(tool))['main']


def test_training_against_itself(main, config, tmp_path, capsys):
    out = tmp_path / 'deep' / 'benchmark.json'
    arguments = ['--vs', config, '--steps=3', '--pairs=3', '--out', str(out)]
    main([config, *arguments, *OPTIONS])
    comparison = Comparison.read(out)
    assert len(comparison.ratios) == 3
    assert 0.1 < comparison.median_ratio < 10  # on a busy machine, too
    assert [r.config for r in comparison.results] == ['small', 'small (second)']
    for result in comparison.results:
        assert (result.mode, result.batch_size, result.steps) == ('train', 2, 9)
        assert result.input_shape == (3, 64, 64)
        assert result.precision == 'torch.float32'
        assert result.synchronisations is None
        assert result.peak_memory > 10**8
        assert result.loader.images_per_second_per_worker > 1
        assert not result.loader.keeps_up  # no worker: the step itself loads
        names = {part.name for part in result.parts}
        assert names == {
            'data',
            'preprocess',
            'student',
            'teacher',
            'pooling',
            'loss',
            'text',
            'backward (rest)',
            'backward (student)',
            'optimizer',
            'other',
        }
        assert sum(part.share for part in result.parts) == pytest.approx(1)
        total = sum(part.seconds for part in result.parts)
        # medians of the parts, and of the sums: apart on a busy machine
        assert 0.2 < total / result.step_seconds < 5
        assert 0 < result.head_share < result.head_share_with_backward < 1
        assert result.images_per_second_data_ready > 0
    copy = tmp_path / 'copy.json'
    comparison.write(copy)
    assert copy.read_bytes() == out.read_bytes()
    assert json.loads(out.read_text())['ratio']['median'] == comparison.median_ratio
    shown = capsys.readouterr().out
    for word in ('images/s', 'peak memory', 'teacher', 'ratio in 3 pairs', 'n/a'):
        assert word in shown


def test_prediction(main, config, tmp_path):
    out = tmp_path / 'benchmark.json'
    main([config, '--mode=predict', '--steps=2', '--out', str(out), *OPTIONS])
    comparison = Comparison.read(out)
    (result,) = comparison.results
    assert (result.mode, comparison.ratios) == ('predict', [])
    names = {part.name for part in result.parts}
    assert {'student', 'pooling', 'classify', 'text'} <= names
    assert not names & {'teacher', 'loss', 'optimizer', 'backward'}


DETECTOR = str(ROOT / 'configs/fvit/fvit_ov-shapes-u_1xb8-1e_ov-shapes.py')
SMALL_DETECTOR = """
_base_ = {base!r}
train_dataloader = dict(num_workers=0)
test_dataloader = dict(num_workers=0, persistent_workers=False)
model = dict(test_cfg=dict(rpn=dict(max_per_img=20)))
"""


@pytest.fixture
def detector(tmp_path):
    path = tmp_path / 'detector.py'
    path.write_text(SMALL_DETECTOR.format(base=DETECTOR))
    return str(path)


def test_training_of_a_detector(main, detector, tmp_path):
    out = tmp_path / 'benchmark.json'
    main([detector, '--steps=2', '--out', str(out), *OPTIONS])
    (result,) = Comparison.read(out).results
    names = {part.name for part in result.parts}
    assert names == {
        'data',
        'preprocess',
        'backbone',
        'pyramid',
        'neck',
        'rpn_head',
        'roi_head',
        'classify',
        'backward',
        'optimizer',
        'other',
    }
    assert result.head_share == 0


def test_numbers_of_classes_side_by_side(main, detector, tmp_path, monkeypatch):
    sizes, warm_up = [], Workload.warm_up

    def spy(workload, steps):
        sizes.append(len(workload.model.text_bank))
        warm_up(workload, steps)

    monkeypatch.setattr(Workload, 'warm_up', spy)
    out = tmp_path / 'benchmark.json'
    two = ['--vs', detector, '--classes', '3', '1203', '--pairs=2']
    main([detector, *two, '--mode=predict', '--steps=2', '--out', str(out), *OPTIONS])
    comparison = Comparison.read(out)
    names = [result.config for result in comparison.results]
    assert names == ['detector, 3 classes', 'detector, 1203 classes']
    for result in comparison.results:
        parts = {part.name for part in result.parts}
        assert {'classify', 'box suppression', 'backbone'} <= parts
        assert not parts & {'backward', 'optimizer', 'text'}
    assert sizes == [3, 1203]


def test_training_with_other_classes(main, detector, tmp_path):
    out = tmp_path / 'benchmark.json'
    main([detector, '--classes=1203', '--steps=1', '--out', str(out), *OPTIONS])
    (result,) = Comparison.read(out).results
    assert result.config == 'detector, 1203 classes'


@pytest.mark.parametrize(
    ('arguments', 'message'),
    [
        ([DETECTOR, '--classes', '5', '--random-weights'], 'needs --synthetic-images'),
        (
            [PRETRAINING, '--classes', '5', '--synthetic-images'],
            'ContrastivePretrainer has no text_bank',
        ),
        (['nothing.py'], 'config not found: nothing.py'),
        ([CONFIG, '--vs', 'nothing.py', *OPTIONS], 'config not found: nothing.py'),
        ([CONFIG, '--cfg-options', 'train_dataloader=None'], 'has no train_dataloader'),
        ([CONFIG, '--cfg-options', 'compile=True'], 'set compile=False'),
        ([CONFIG, '--cfg-options', 'model.backbone.checkpoint=no.pt'], r'no\.pt'),
        (
            [CONFIG, *OPTIONS, '--cfg-options', 'model.backbone.arch=ov-shapez'],
            'ov-shapez',
        ),
    ],
)
def test_bad_input_is_one_line(main, arguments, message, monkeypatch):
    monkeypatch.chdir(ROOT)
    with pytest.raises(SystemExit, match=message) as error:
        main([*arguments])
    assert str(error.value).startswith('benchmark: ')
    assert '\n' not in str(error.value)
