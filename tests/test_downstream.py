"""Another package inherits from us: ``openvocab::`` beside ``mmdet::``, ``mmseg::``."""

import json
import subprocess
import sys
import textwrap
from pathlib import Path

import pytest
import torch

from helpers.downstream_package import write_package
from openvocab.datasets.ov_shapes.writer import write_ov_shapes

# What a script of theirs looks like; the arguments are those of this test.
TRAIN_AND_TEST = """
import sys
import shapes_shop
from mmengine.config import Config
from mmengine.runner import Runner

config, data, work_dir = sys.argv[1:]
cfg = Config.fromfile(config)
cfg.work_dir = work_dir
for part in ('train', 'val', 'test'):
    cfg[f'{part}_dataloader'].dataset.data_root = data
for part in ('val', 'test'):
    cfg[f'{part}_evaluator'].ann_file = f'{data}/annotations/instances_val.json'
runner = Runner.from_cfg(cfg)
runner.train()
assert runner.iter == 1, runner.iter
runner.test()
"""
BUILD = """
import sys
import shapes_shop
from mmengine.config import Config
from mmengine.registry import MODELS, init_default_scope

for config in sys.argv[1:]:
    cfg = Config.fromfile(config)
    init_default_scope(cfg.default_scope)
    model = MODELS.build(cfg.model)
    print(type(model).__module__, cfg.train_dataloader.dataset.type)
"""

# An encoder of ours in a detector of ours; in this test with weights that ship.
SWAPPED = """
_base_ = [
    'openvocab::fvit/fvit_ov-shapes-u_1xb8-1e_ov-shapes.py',
    'openvocab::_base_/backbones/eva02-b16-declip.py',
]
model = dict(backbone=_base_.encoder)
"""
BUILD_SWAPPED = """
import sys
import shapes_shop
from mmengine.config import Config
from mmengine.registry import MODELS, init_default_scope

cfg = Config.fromfile(sys.argv[1])
backbone = cfg.model.backbone
print(backbone.arch, backbone.init_cfg.checkpoint)
backbone.arch, backbone.checkpoint = 'ov-shapes-p', 'openvocab://ov-shapes-p'
backbone.init_cfg.checkpoint = 'openvocab://ov-shapes-p'
init_default_scope(cfg.default_scope)
backbone = MODELS.build(cfg.model).backbone
backbone.init_weights()
print(type(backbone).__name__, type(backbone.readout).__name__, len(backbone.strides))
"""


@pytest.fixture(scope='module')
def package(tmp_path_factory) -> Path:
    """The configs of a package that is found but not installed."""
    return write_package(tmp_path_factory.mktemp('shop'))


@pytest.fixture
def run(package, repo_root, tmp_path, monkeypatch):
    """Runs a script of theirs, in a process and a folder of its own."""
    monkeypatch.setenv('PYTHONPATH', f'{repo_root}:{package.parents[1]}')

    def call(code: str, *arguments) -> str:
        script = tmp_path / 'script.py'
        script.write_text(textwrap.dedent(code))
        done = subprocess.run(
            [sys.executable, script, *map(str, arguments)],
            cwd=tmp_path,
            capture_output=True,
            text=True,
            timeout=240,
            check=False,
        )
        assert done.returncode == 0, done.stderr[-3000:]
        return done.stdout

    return call


def test_their_detector_trains_a_step_and_is_tested(package, run, tmp_path):
    data, work_dir = tmp_path / 'data', tmp_path / 'work'
    write_ov_shapes(data, {'train': 4, 'val': 4})
    run(TRAIN_AND_TEST, package / 'detector.py', data, work_dir)
    (row,) = json.loads((work_dir / 'report.json').read_text())
    assert {'bbox_ap50_base', 'bbox_ap50_novel', 'bbox_ap50'} <= row.keys()
    assert row['meta']['vocabulary']['name'] == 'shop'
    assert 'image encoder ov-shapes-p' in row['meta']['weights']
    state = torch.load(work_dir / 'epoch_1.pth', weights_only=True)['state_dict']
    record = bytes(state['backbone.encoder_record'].tolist())
    assert json.loads(record)['arch'] == 'ov-shapes-p'
    assert not any(key.startswith('backbone.visual') for key in state)


def test_bases_of_three_packages_make_one_config(package, run):
    names = ('mmdet_baseline.py', 'mmseg_baseline.py')
    printed = run(BUILD, *(package / name for name in names)).splitlines()
    assert printed == [
        'mmdet.models.detectors.faster_rcnn openvocab.OVDetDataset',
        'mmseg.models.segmentors.encoder_decoder openvocab.OVSegDataset',
    ]


def test_an_encoder_of_ours_is_one_line_of_theirs(run, tmp_path):
    config = tmp_path / 'swapped.py'
    config.write_text(SWAPPED)
    assert run(BUILD_SWAPPED, config).splitlines() == [
        'EVA02-B-16 checkpoints/DeCLIP_EVA-B_DINOv2-B_csa_0.05_2.0.pt',
        'DeCLIP SelfSelfReadout 4',
    ]
