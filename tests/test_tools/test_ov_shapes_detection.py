"""F-ViT on OV-Shapes through the tools: resuming, checkpoints, processes, science."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
import torch
from mmengine.config import Config
from mmengine.runner import Runner

from helpers.configs import read_config
from helpers.processes import free_port
from openvocab.datasets.ov_shapes.writer import write_ov_shapes

CONFIG = 'configs/fvit/fvit_ov-shapes-u_1xb8-1e_ov-shapes.py'
ENCODER = 'backbone.visual'


@pytest.fixture(scope='module')
def data(tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp('ov_shapes')
    write_ov_shapes(folder, {'train': 8, 'val': 4})
    return folder


def small_config(root: Path, data: Path, work_dir: Path, **changes) -> Config:
    """Two short epochs on eight images, without worker processes."""
    cfg = read_config(root / CONFIG)
    options = {'work_dir': str(work_dir), 'train_cfg.max_epochs': 2}
    for part in ('train', 'val', 'test'):
        options |= {
            f'{part}_dataloader.dataset.data_root': str(data),
            f'{part}_dataloader.num_workers': 0,
            f'{part}_dataloader.persistent_workers': False,
            f'{part}_dataloader.batch_size': 4,
        }
    options['val_evaluator.ann_file'] = str(data / 'annotations/instances_val.json')
    options['test_evaluator.ann_file'] = options['val_evaluator.ann_file']
    cfg.merge_from_dict(options | changes)
    return cfg


def trained(cfg: Config) -> dict[str, torch.Tensor]:
    Runner.from_cfg(cfg).train()
    path = Path(cfg.work_dir) / f'epoch_{cfg.train_cfg.max_epochs}.pth'
    return torch.load(path, weights_only=True)['state_dict']


def test_a_resumed_detector_equals_the_straight_one(repo_root, data, tmp_path):
    off = dict(val_cfg=None, val_dataloader=None, val_evaluator=None)
    straight = trained(small_config(repo_root, data, tmp_path / 'a', **off))
    assert not any(key.startswith(ENCODER) for key in straight)
    assert 'roi_head.bbox_head.fc_cls.temperature' in straight
    (tmp_path / 'b').mkdir()
    os.link(tmp_path / 'a/epoch_1.pth', tmp_path / 'b/epoch_1.pth')
    resume = dict(resume=True, load_from=str(tmp_path / 'b/epoch_1.pth'))
    resumed = trained(small_config(repo_root, data, tmp_path / 'b', **off, **resume))
    assert straight.keys() == resumed.keys()
    for key, value in straight.items():
        torch.testing.assert_close(resumed[key], value, rtol=0, atol=0)

    # tested on the encoder it was trained with; another one is refused
    test = dict(load_from=str(tmp_path / 'a/epoch_2.pth'))
    runner = Runner.from_cfg(small_config(repo_root, data, tmp_path / 'c', **test))
    metrics = runner.test()
    assert {'bbox_ap50_base', 'bbox_ap50_novel', 'bbox_ap50'} <= metrics.keys()
    test['model.backbone.checkpoint'] = None
    runner = Runner.from_cfg(small_config(repo_root, data, tmp_path / 'd', **test))
    with pytest.raises(ValueError, match='encoder'):
        runner.test()


def test_the_best_checkpoint_is_kept(repo_root, data, tmp_path):
    cfg = small_config(repo_root, data, tmp_path)
    cfg.model.test_cfg.rcnn.score_thr = 0
    Runner.from_cfg(cfg).train()
    (best,) = tmp_path.glob('best_bbox_ap50_novel_epoch_*.pth')
    torch.load(best, weights_only=True)
    last = torch.load(tmp_path / 'epoch_2.pth', weights_only=True)
    assert last['message_hub']['runtime_info']['best_ckpt'] == str(best)


def test_training_on_other_classes_is_an_error(repo_root, data, tmp_path):
    key = 'train_dataloader.dataset'
    other = {f'{key}.vocabulary.is_thing': None}
    with pytest.raises(ValueError, match=f'{key}.vocabulary and model.text_bank'):
        Runner.from_cfg(small_config(repo_root, data, tmp_path, **other)).train()
    every = {f'{key}.splits': None}
    with pytest.raises(ValueError, match=r'boxes of .* a novel class'):
        Runner.from_cfg(small_config(repo_root, data, tmp_path, **every)).train()


def run(root: Path, *command: str) -> None:
    settings = {'PYTHONPATH': str(root), 'PYTHON': sys.executable, 'PORT': free_port()}
    done = subprocess.run(
        command, cwd=root, env={**os.environ, **settings}, timeout=900, text=True,
        stdout=subprocess.PIPE, stderr=subprocess.STDOUT, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout[-3000:]


@pytest.mark.dist
@pytest.mark.slow
def test_two_processes_train_and_test_one_detector(repo_root, data, tmp_path):
    cfg = small_config(repo_root, data, tmp_path / 'w')
    cfg.dump(tmp_path / 'small.py')
    config, script = str(tmp_path / 'small.py'), repo_root / 'tools'
    run(repo_root, 'bash', f'{script}/dist_train.sh', config, '2')
    checkpoint = str(tmp_path / 'w/epoch_2.pth')
    scores = []
    for launch, number in (('dist_test.sh', ['2']), ('test.py', [])):
        tool = ['bash'] if launch.endswith('.sh') else [sys.executable]
        out = tmp_path / launch
        run(
            repo_root, *tool, f'{script}/{launch}', config, checkpoint, *number,
            '--out', str(out),
        )  # fmt: skip
        (row,) = json.loads((out / 'report.json').read_text())
        scores.append({k: v for k, v in row.items() if k.startswith('bbox')})
    assert scores[0] == pytest.approx(scores[1], nan_ok=True)


@pytest.mark.slow
def test_novel_combinations_are_found(repo_root, tmp_path):
    data = tmp_path / 'data'
    write_ov_shapes(data, {'train': 1600, 'val': 80})
    cfg = small_config(repo_root, data, tmp_path / 'w', **{'train_cfg.max_epochs': 1})
    cfg.train_dataloader.batch_size = 8
    cfg.dump(tmp_path / 'config.py')
    run(
        repo_root, sys.executable, 'tools/train.py', str(tmp_path / 'config.py'),
        '--no-validate',
    )  # fmt: skip
    run(
        repo_root, sys.executable, 'tools/test.py', str(tmp_path / 'config.py'),
        str(tmp_path / 'w/epoch_1.pth'),
    )  # fmt: skip
    (row,) = json.loads((tmp_path / 'w/report.json').read_text())
    assert row['bbox_ap50_base'] > 20
    assert row['bbox_ap50_novel'] > 5
