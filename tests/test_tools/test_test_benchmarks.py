"""tools/test_benchmarks.py on two benchmarks of two pictures."""

import json
import runpy
from pathlib import Path

import numpy as np
import pytest
import yaml
from PIL import Image

ROOT = Path(__file__).parents[2]
TOOL = ROOT / 'tools' / 'test_benchmarks.py'
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
    return path


def run(*arguments):
    runpy.run_path(str(TOOL))['main']([*map(str, arguments)])


def test_a_row_per_benchmark_and_their_mean(leaf):
    run(leaf, '--work-dir', 'out', '--cfg-options', 'randomness.seed=1')
    rows = json.loads(Path('out/report.json').read_text())
    assert [row['method'] for row in rows] == ['voc21', 'pas20', 'mean of 2']
    voc21, pas20, mean = rows
    # No probability reaches 1: every pixel is background, 90 % of the labels.
    assert voc21['pacc'] == pytest.approx(90.0)
    assert voc21['miou'] == pytest.approx(45.0)
    assert mean['miou'] == pytest.approx((voc21['miou'] + pas20['miou']) / 2)
    assert [row['published']['miou'] for row in rows] == [60.0, 80.0, 70.0]
    own = json.loads(Path('out/pas20/report.json').read_text())[0]
    assert own['published'] == dict(miou=80.0) and own['miou'] == pas20['miou']
    assert own['meta']['vocabulary']['name'] == 'pascal_voc_20'


def test_chosen_benchmarks_and_options_win(leaf):
    run(leaf, '--benchmarks', 'voc21', '--cfg-options', 'model.prob_thd=0.0')
    rows = json.loads(Path('work_dirs/tiny_u_voc21/report.json').read_text())
    assert [row['method'] for row in rows] == ['voc21']
    assert rows[0]['pacc'] != pytest.approx(90.0)


def test_wrong_names_end_before_anything_runs(leaf, capsys):
    with pytest.raises(SystemExit):
        run(leaf, '--benchmarks', 'voc21', 'pc59')
    assert "'pc59' is none of" in capsys.readouterr().err
    assert not Path('work_dirs').exists()
