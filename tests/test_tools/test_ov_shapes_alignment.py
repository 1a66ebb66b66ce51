"""The science on OV-Shapes, through the tools: a short alignment must help."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from openvocab.datasets.ov_shapes.writer import write_ov_shapes

CLIP = 'configs/clip/clip_ov-shapes-u_ov-shapes.py'
DENSEVLM = 'configs/densevlm/densevlm_ov-shapes-u_1xb8-1e_ov-shapes.py'
DECLIP = 'configs/declip/declip_ov-shapes-u_1xb8-1e_ov-shapes.py'


def run(root: Path, tool: str, *arguments: str, options: list[str]) -> None:
    command = [sys.executable, f'tools/{tool}.py', *arguments]
    subprocess.run(
        [*command, '--cfg-options', *options],
        cwd=root, check=True, capture_output=True, timeout=600,
    )  # fmt: skip


def evaluate(root: Path, folder: Path, options: list[str]) -> dict[str, float]:
    run(root, 'test', CLIP, '--work-dir', str(folder), options=options)
    return json.loads((folder / 'report.json').read_text())[0]


@pytest.mark.slow
def test_densevlm_helps_regions_and_cures_both_biases(repo_root, tmp_path, monkeypatch):
    monkeypatch.setenv('PYTHONPATH', str(repo_root))
    data = tmp_path / 'data'
    write_ov_shapes(data, {'train': 1200, 'val': 80})
    scored = [f'test_dataloader.dataset.data_root={data}']
    plain = evaluate(repo_root, tmp_path / 'plain', scored)
    work = tmp_path / 'densevlm'
    run(
        repo_root, 'train', DENSEVLM, '--work-dir', str(work), '--no-validate',
        options=[f'train_dataloader.dataset.data_root={data}'],
    )  # fmt: skip
    aligned = evaluate(
        repo_root,
        tmp_path / 'aligned',
        [
            *scored,
            'model.backbone.init_cfg.type=Pretrained',
            f'model.backbone.init_cfg.checkpoint={work}/encoder.safetensors',
        ],
    )
    assert plain['crops_top1'] > 60
    assert plain['boxes_top1'] < plain['crops_top1'] - 40
    assert aligned['masks_s_top1'] > plain['masks_s_top1'] + 15
    assert aligned['masks_t_top1'] > plain['masks_t_top1'] + 3
    assert aligned['boxes_top1'] > plain['boxes_top1'] + 3
    assert aligned['stuff_as_thing'] < plain['stuff_as_thing']
    assert aligned['thing_as_stuff'] < plain['thing_as_stuff']


@pytest.mark.slow
def test_declip_helps_regions_of_both_kinds(repo_root, tmp_path, monkeypatch):
    monkeypatch.setenv('PYTHONPATH', str(repo_root))
    data = tmp_path / 'data'
    write_ov_shapes(data, {'train': 1200, 'val': 80})
    scored = [f'test_dataloader.dataset.data_root={data}']
    plain = evaluate(repo_root, tmp_path / 'plain', scored)
    work = tmp_path / 'declip'
    run(
        repo_root, 'train', DECLIP, '--work-dir', str(work), '--no-validate',
        options=[f'train_dataloader.dataset.data_root={data}'],
    )  # fmt: skip
    aligned = evaluate(
        repo_root,
        tmp_path / 'aligned',
        [
            *scored,
            'model.backbone.type=openvocab.DeCLIP',
            'model.backbone.readout=None',
            'model.backbone.init_cfg.type=Pretrained',
            f'model.backbone.init_cfg.checkpoint={work}/encoder.safetensors',
        ],
    )
    assert aligned['masks_s_top1'] > plain['masks_s_top1'] + 15
    assert aligned['masks_t_top1'] > plain['masks_t_top1'] + 2
    assert aligned['boxes_top1'] > plain['boxes_top1'] + 2
    assert aligned['stuff_as_thing'] < plain['stuff_as_thing']
    assert aligned['thing_as_stuff'] < plain['thing_as_stuff']
