"""Training that is killed at any step and resumed equals training that was not."""

import os
import signal
import subprocess
import sys

import pytest
import torch

from openvocab.datasets.ov_shapes.writer import write_ov_shapes

KILLER = """
import os
import signal

from mmengine.hooks import Hook
from mmengine.registry import HOOKS


@HOOKS.register_module()
class KillAt(Hook):
    priority = 'VERY_LOW'

    def __init__(self, iteration):
        self.iteration = iteration

    def after_train_iter(self, runner, **kwargs):
        if runner.iter + 1 == self.iteration:
            os.kill(os.getpid(), signal.SIGKILL)
"""
LEAF = """
_base_ = '{root}/configs/{config}.py'
custom_imports = dict(imports=['killer_of_tests'])
custom_hooks = [dict(type='KillAt', iteration=0, _scope_='mmengine')]
train_dataloader = dict(batch_size=2, dataset=dict(data_root='{data}'))
"""
EPOCHS = 'train_cfg = dict(max_epochs=2)\n'  # of four steps
ITERATIONS = """
train_cfg = dict(max_iters=8)
default_hooks = dict(checkpoint=dict(interval=3))
"""


@pytest.fixture(scope='module')
def data(tmp_path_factory):
    folder = tmp_path_factory.mktemp('ov_shapes')
    write_ov_shapes(folder, {'train': 8, 'val': 2})
    return folder


@pytest.fixture
def train(tmp_path, repo_root, data):
    """Runs tools/train.py until it ends, or is killed after an iteration."""
    (tmp_path / 'killer_of_tests.py').write_text(KILLER)
    paths = os.pathsep.join([str(repo_root), str(tmp_path)])

    def run(config, length, work_dir, *words, killed=0):
        leaf = tmp_path / 'leaf.py'
        leaf.write_text(LEAF.format(root=repo_root, config=config, data=data) + length)
        command = [sys.executable, repo_root / 'tools/train.py', leaf, '--no-validate']
        command += ['--work-dir', tmp_path / work_dir, *words]
        command += ['--cfg-options', f'custom_hooks.0.iteration={killed}']
        log = tmp_path / 'output.txt'
        with log.open('w') as output:  # no pipe, which orphaned data workers would hold
            code = subprocess.run(
                [str(word) for word in command],
                cwd=tmp_path,
                env={**os.environ, 'PYTHONPATH': paths},
                stdout=output,
                stderr=subprocess.STDOUT,
                timeout=300,
            ).returncode
        assert code == (-signal.SIGKILL if killed else 0), log.read_text()[-3000:]
        if killed:
            return log.read_text(), None
        last = (tmp_path / work_dir / 'last_checkpoint').read_text()
        return log.read_text(), torch.load(last, weights_only=True)

    return run


def assert_equal(found, expected, path=''):
    """Bit for bit, at any depth."""
    assert type(found) is type(expected), path
    if isinstance(expected, torch.Tensor):
        assert torch.equal(found, expected), path
    elif isinstance(expected, dict):
        assert list(found) == list(expected), path
        for key, value in expected.items():
            assert_equal(found[key], value, f'{path}.{key}')
    elif isinstance(expected, (list, tuple)):
        assert len(found) == len(expected), path
        for index, (a, b) in enumerate(zip(found, expected, strict=True)):
            assert_equal(a, b, f'{path}[{index}]')
    else:
        assert found == expected, path


@pytest.mark.slow
@pytest.mark.parametrize(
    ('config', 'length', 'kills'),
    [
        # before the first checkpoint of 3, 6 and 8; between two; on the step of one
        ('cat_seg/cat_seg_ov-shapes-u_1xb4-240i_ov-shapes', ITERATIONS, (2, 5, 6)),
        # within the first and the second epoch: what that epoch did is done again
        ('densevlm/densevlm_ov-shapes-u_1xb8-1e_ov-shapes', EPOCHS, (3, 6)),
        ('fvit/fvit_ov-shapes-u_1xb8-1e_ov-shapes', EPOCHS, (6,)),
    ],
    ids=['cat_seg', 'densevlm', 'fvit'],
)
def test_killed_and_resumed_equals_straight(train, config, length, kills):
    _, straight = train(config, length, 'straight')
    for killed in kills:
        train(config, length, 'killed', '--resume', killed=killed)
    output, resumed = train(config, length, 'killed', '--resume')
    assert 'resumed epoch' in output
    for part in ('state_dict', 'optimizer', 'param_schedulers'):
        assert_equal(resumed[part], straight[part], part)
    assert resumed['meta']['iter'] == straight['meta']['iter'] == 8
