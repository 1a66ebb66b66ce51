"""tools/test.py on several benchmarks and configs, of two pictures."""

import json
import runpy
from pathlib import Path

import numpy as np
import pytest
import yaml
from PIL import Image

from openvocab.reports import Comparison, load_report

ROOT = Path(__file__).parents[2]
TOOL = ROOT / 'tools' / 'test.py'
LEAF = """
_base_ = [
    '{bases}/models/training_free.py',
    '{bases}/datasets/voc21_native_segmentation.py',
    '{bases}/default_runtime_seg.py',
]
model = dict(
    backbone=dict(arch='ov-shapes-u', checkpoint='openvocab://ov-shapes-u'),
    text_bank=dict(prompts='densevlm', cache_dir='{folder}/text'),
    inference=dict(canvas=48, crop=32, stride=16),
    prob_thd=1.0)
test_dataloader = dict(num_workers=0, persistent_workers=False)
env_cfg = dict(dist_cfg=dict(backend='gloo'))
benchmarks = dict(pas20=dict(prob_thd=None, inference=dict(canvas=64)))
"""


@pytest.fixture
def leaf(tmp_path, monkeypatch):
    """A config in a folder with pictures in the layout of VOC; all is background."""
    voc = tmp_path / 'data' / 'VOCdevkit' / 'VOC2012'
    for folder in ('JPEGImages', 'SegmentationClass', 'ImageSets/Segmentation'):
        (voc / folder).mkdir(parents=True)
    labels = np.zeros((40, 60), np.uint8)
    labels[:4] = 7  # class 7 of 21, 6 of 20
    random = np.random.default_rng(0)
    for name in ('a', 'b'):
        pixels = random.integers(255, size=(40, 60, 3), dtype=np.uint8)
        Image.fromarray(pixels).save(voc / 'JPEGImages' / f'{name}.jpg')
        Image.fromarray(labels).save(voc / 'SegmentationClass' / f'{name}.png')
    (voc / 'ImageSets/Segmentation/val.txt').write_text('a\nb\n')
    path = tmp_path / 'tiny_u_voc21.py'
    path.write_text(LEAF.format(bases=ROOT / 'configs/_base_', folder=tmp_path))
    results = [
        dict(Dataset=dataset, Metrics=dict(miou=figure))
        for dataset, figure in (('voc21', 60.0), ('pas20', 80.0))
    ]
    model = dict(Name='tiny', Config=path.name, Results=results)
    (tmp_path / 'metafile.yml').write_text(yaml.safe_dump(dict(Models=[model])))
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv('PYTHONPATH', str(ROOT))
    return path


def run(*arguments):
    runpy.run_path(str(TOOL))['main']([*map(str, arguments)])


def rows_in(folder):
    return json.loads((Path(folder) / 'report.json').read_text())


def test_one_benchmark_of_a_config(leaf):
    run(leaf, '--benchmarks', 'pas20', '--cfg-options', 'randomness.seed=1')
    (row,) = rows_in('work_dirs/tiny_u_voc21/pas20')
    assert row['method'] == 'tiny_u_voc21' and row['published'] == dict(miou=80.0)
    assert row['meta']['benchmark'] == 'pas20'
    assert row['meta']['vocabulary']['name'] == 'pascal_voc_20'


def test_options_win_and_the_own_benchmark_is_named(leaf):
    run(leaf, '--work-dir', 'out', '--cfg-options', 'model.prob_thd=1.0')
    (row,) = rows_in('out')
    # No probability reaches 1: every pixel is background, 90 % of the labels.
    assert row['pacc'] == pytest.approx(90.0) and row['miou'] == pytest.approx(45.0)
    assert row['meta']['benchmark'] == 'voc21' and row['published']['miou'] == 60.0


@pytest.mark.slow
def test_all_benchmarks_and_their_mean(leaf):
    with pytest.raises(SystemExit) as stopped:
        run(leaf, '--benchmarks', 'all', '--cfg-options', 'randomness.seed=1')
    assert stopped.value.code == 0
    folder = Path('work_dirs/tiny_u_voc21')
    voc21, pas20 = rows_in(folder)
    assert [r['meta']['benchmark'] for r in (voc21, pas20)] == ['voc21', 'pas20']
    assert rows_in(folder / 'pas20') == [pas20]
    ((title, (mean,)),) = Comparison(load_report(folder)).overviews()
    assert title == 'Semantic Segmentation, mIoU' and mean['method'] == 'tiny_u'
    assert mean['mean'] == pytest.approx((voc21['miou'] + pas20['miou']) / 2)
    assert mean['published']['mean'] == 70.0
    assert 'pas20' in (folder / 'comparison.html').read_text()


@pytest.mark.slow
def test_a_failing_run_costs_no_other(leaf, capfd):
    bad = leaf.with_name('tiny_bad_voc21.py')
    bad.write_text("_base_ = './tiny_u_voc21.py'\nmodel = dict(prob_thd='high')\n")
    with pytest.raises(SystemExit) as stopped:
        run(bad, leaf, '-', '--work-dir', 'out', '--method', 'bad', '--method', 'U')
    assert stopped.value.code == 1
    assert [row['method'] for row in rows_in('out')] == ['U']
    told = capfd.readouterr()
    assert '1 of 2 runs failed:' in told.err and 'bad: exit code 1, ' in told.err
    assert 'bad: exit code 1' in Path('out/comparison.md').read_text()


@pytest.mark.parametrize(
    ('words', 'message'),
    [
        (['LEAF', '--benchmarks', 'voc21', 'pc59'], "'pc59' is none of"),
        (['LEAF', 'LEAF'], 'tiny_u_voc21: asked for 2 times'),
        (['-', 'LEAF'], 'a checkpoint stands behind'),
        (['LEAF', '--method', 'a', '--method', 'b'], '2 names (--method) for 1'),
        (['LEAF', 'gone.pth'], 'gone.pth does not exist'),
        (
            ['LEAF', '--benchmarks', 'all', '--cfg-options', 'model.type.x=1'],
            '--cfg-options: ',
        ),
        (
            ['LEAF', '--benchmarks', 'all', '--out', 'metafile.yml'],
            'metafile.yml: File exists',
        ),
    ],
)
def test_wrong_words_end_before_anything_runs(leaf, capsys, words, message):
    with pytest.raises(SystemExit) as stopped:
        run(*(leaf if word == 'LEAF' else word for word in words))
    code = stopped.value.code
    told = capsys.readouterr().err.strip() if code == 2 else code
    assert message in told.splitlines()[-1]
    assert not Path('work_dirs').exists()
