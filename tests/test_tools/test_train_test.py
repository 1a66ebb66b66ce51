"""tools/train.py and tools/test.py, end to end on a toy model."""

import json
import os
import runpy
import signal
import subprocess
import sys
import textwrap

import pytest
import torch
from mmengine.registry import DATASETS, METRICS, MODELS

from helpers.processes import free_port

TOY = """
import torch
from mmengine.evaluator import BaseMetric
from mmengine.model import BaseModel
from mmengine.registry import DATASETS, METRICS, MODELS


@DATASETS.register_module()
class ToyData(torch.utils.data.Dataset):
    def __len__(self):
        return 6

    def __getitem__(self, index):
        return dict(inputs=torch.tensor([float(index)]))


@MODELS.register_module()
class ToyModel(BaseModel):
    def __init__(self):
        super().__init__()
        self.layer = torch.nn.Linear(1, 1)

    def init_weights(self):
        torch.nn.init.constant_(self.layer.weight, 1.0)
        torch.nn.init.constant_(self.layer.bias, 0.0)

    def forward(self, inputs, mode='tensor'):
        out = self.layer(inputs)
        if mode == 'loss':
            return dict(loss=out.square().mean())
        return [dict(value=float(v)) for v in out]


@METRICS.register_module()
class ToyMetric(BaseMetric):
    default_prefix = ''

    def process(self, data_batch, data_samples):
        self.results += [sample['value'] for sample in data_samples]

    def compute_metrics(self, results):
        return dict(total=sum(results))
"""

CONFIG = """
default_scope = 'mmengine'
custom_imports = dict(imports=['toy_of_tools'])
model = dict(type='ToyModel')
train_dataloader = dict(
    batch_size=2, num_workers=0, dataset=dict(type='ToyData'),
    collate_fn=dict(type='default_collate'),
    sampler=dict(type='DefaultSampler', shuffle=True))
test_dataloader = dict(
    batch_size=1, num_workers=0, dataset=dict(type='ToyData'),
    collate_fn=dict(type='default_collate'),
    sampler=dict(type='DefaultSampler', shuffle=False))
val_dataloader = test_dataloader
val_evaluator = test_evaluator = dict(type='ToyMetric')
val_cfg = test_cfg = dict()
train_cfg = dict(by_epoch=True, max_epochs=2, val_interval=1)
optim_wrapper = dict(
    type='OptimWrapper', optimizer=dict(type='SGD', lr=0.001),
    constructor='openvocab.TrainableOnlyConstructor')
default_hooks = dict(checkpoint=dict(type='openvocab.AtomicCheckpointHook'))
env_cfg = dict(dist_cfg=dict(backend='gloo'))
randomness = dict(seed=0)
"""


@pytest.fixture
def toy(tmp_path):
    (tmp_path / 'toy_of_tools.py').write_text(TOY)
    config = tmp_path / 'toy_config.py'
    name = f"experiment_name = '{tmp_path.name}'\n"
    config.write_text(textwrap.dedent(CONFIG) + name)
    return config


@pytest.fixture
def call(tmp_path, repo_root):
    def run(*command):
        given = os.environ.get('PYTHONPATH', '')
        paths = os.pathsep.join([str(repo_root), str(tmp_path), given])
        settings = {'PYTHONPATH': paths, 'PYTHON': sys.executable, 'PORT': free_port()}
        process = subprocess.Popen(
            [str(word) for word in command],
            cwd=tmp_path,
            env={**os.environ, **settings},
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            start_new_session=True,
        )
        try:
            output, _ = process.communicate(timeout=240)
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)  # with the workers
            raise
        assert process.returncode == 0, output[-3000:]
        return output

    return run


def test_train_resume_and_test(toy, call, repo_root, tmp_path):
    train = [sys.executable, repo_root / 'tools/train.py', toy]
    call(*train, '--no-validate', '--cfg-options', 'train_cfg.max_epochs=1')
    work_dir = tmp_path / 'work_dirs' / 'toy_config'
    assert (work_dir / 'epoch_1.pth').is_file()
    resumed = call(*train, '--resume')
    assert 'resumed epoch: 1, iter: 3' in resumed
    state = torch.load(work_dir / 'epoch_2.pth', weights_only=True)['state_dict']

    test = [sys.executable, repo_root / 'tools/test.py', toy]
    out = tmp_path / 'with'
    call(*test, work_dir / 'epoch_2.pth', '--out', out, '--method', 'trained')
    (row,) = json.loads((out / 'report.json').read_text())
    expected = 15 * state['layer.weight'].item() + 6 * state['layer.bias'].item()
    assert row['method'] == 'trained'
    assert row['total'] == pytest.approx(expected, abs=1e-5)
    assert len(row['meta']['weights']['epoch_2.pth']) == 64


@pytest.mark.slow
def test_scalars_for_tensorboard(toy, call, repo_root, tmp_path):
    pytest.importorskip('tensorboard')
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

    options = ['--tensorboard', '--no-validate', '--work-dir', tmp_path / 'w']
    more = 'default_hooks.logger.interval=1'
    call(
        sys.executable, repo_root / 'tools/train.py', toy, *options,
        '--cfg-options', 'default_hooks.logger.type=LoggerHook', more,
    )  # fmt: skip
    (folder,) = (tmp_path / 'w').glob('*/vis_data')
    written = EventAccumulator(str(folder)).Reload()
    assert len(written.Scalars('loss')) == 6
    assert (folder / 'scalars.json').is_file()


@pytest.mark.slow
def test_without_checkpoint_the_config_builds_the_weights(toy, call, repo_root):
    call(
        sys.executable, repo_root / 'tools/test.py', toy, '--work-dir', toy.parent / 'w'
    )
    (row,) = json.loads((toy.parent / 'w' / 'report.json').read_text())
    assert row['method'] == 'toy_config' and row['total'] == 15.0


@pytest.mark.dist
@pytest.mark.slow
def test_two_processes_equal_the_doubled_batch(toy, call, repo_root, tmp_path):
    options = ['--no-validate', '--work-dir']
    call(
        'bash',
        repo_root / 'tools/dist_train.sh',
        toy,
        2,
        *options,
        tmp_path / 'two',
        '--cfg-options',
        'train_dataloader.sampler.shuffle=False',
    )
    call(
        sys.executable,
        repo_root / 'tools/train.py',
        toy,
        *options,
        tmp_path / 'one',
        '--cfg-options',
        'train_dataloader.batch_size=4',
        'train_dataloader.sampler.shuffle=False',
        'train_dataloader.drop_last=False',
    )
    # 6 samples: ranks see (0, 2), (4,) and (1, 3), (5,); one process (0..3), (4, 5).
    two = torch.load(tmp_path / 'two/epoch_2.pth', weights_only=True)['state_dict']
    one = torch.load(tmp_path / 'one/epoch_2.pth', weights_only=True)['state_dict']
    for key, value in one.items():
        torch.testing.assert_close(two[key], value)

    out = tmp_path / 'out'
    call(
        'bash',
        repo_root / 'tools/dist_test.sh',
        toy,
        tmp_path / 'two/epoch_2.pth',
        2,
        '--out',
        out,
    )
    (row,) = json.loads((out / 'report.json').read_text())
    expected = 15 * two['layer.weight'].item() + 6 * two['layer.bias'].item()
    assert row['total'] == pytest.approx(expected, abs=1e-5)


@pytest.mark.dist
@pytest.mark.slow
def test_two_processes_test_several_configs(toy, call, repo_root):
    other = toy.with_name('other_config.py')
    other.write_text(f'_base_ = "./{toy.name}"\n')
    test = ['bash', repo_root / 'tools/dist_test.sh', toy, '-', 2]
    output = call(*test, other, '--work-dir', 'out')
    rows = json.loads((toy.parent / 'out' / 'report.json').read_text())
    assert [row['method'] for row in rows] == ['toy_config', 'other_config']
    assert [row['total'] for row in rows] == [15.0, 15.0]
    assert output.count('written: out/comparison.html') == 1


@pytest.mark.parametrize(
    'tool, arguments, message',
    [
        ('train.py', ['absent.py'], 'file not found: absent.py'),
        ('train.py', ['CONFIG', '--cfg-options', 'a.b'], "'a.b' is not KEY=VALUE"),
        ('test.py', ['CONFIG', 'absent.pth'], 'checkpoint absent.pth does not exist'),
        ('test.py', ['CONFIG', 'none'], 'no checkpoint is written -'),
    ],
)
def test_bad_words_are_named_with_the_usage(
    toy, repo_root, monkeypatch, capsys, tool, arguments, message
):
    stopped = run_main(toy, repo_root, monkeypatch, tool, arguments)
    assert stopped.code == 2
    assert message in capsys.readouterr().err.strip().splitlines()[-1]


MISSING = 'model.layer.checkpoint=checkpoints/no.pt'


@pytest.mark.parametrize(
    'tool, arguments, message',
    [
        ('train', ['--resume', 'no.pth'], 'file not found: no.pth'),
        ('train', ['--auto-scale-lr'], 'no auto_scale_lr.base_batch_size'),
        ('train', ['--cfg-options', 'model.type.x=1'], '--cfg-options: '),
        ('train', ['--cfg-options', 'model.bogus=1'], "argument 'bogus'"),
        ('train', ['--cfg-options', 'model.type=Toi'], 'Toi is not in the'),
        ('train', ['--cfg-options', 'train_cfg=None'], 'has nothing to train'),
        ('train', ['--cfg-options', 'load_from=cut.pth'], 'checkpoint cut.pth'),
        ('train', ['--cfg-options', MISSING], 'model.layer.checkpoint: checkpoints/'),
        ('train', ['--cfg-options', 'optim_wrapper.optimizer.lrr=1'], "argument 'lrr'"),
        ('train', ['--work-dir', 'cut.pth/w'], 'cut.pth/w: Not a directory'),
        ('test', ['cut.pth'], 'checkpoint cut.pth'),
        ('test', ['--cfg-options', 'model.type.x=1'], '--cfg-options: '),
        ('test', ['--cfg-options', 'model.bogus=1'], "argument 'bogus'"),
        ('test', ['--cfg-options', 'test_cfg=None'], 'has nothing to test'),
        ('test', ['--out', 'cut.pth/w'], 'cut.pth/w: Not a directory'),
    ],
)
def test_mistakes_are_one_line(toy, repo_root, monkeypatch, tool, arguments, message):
    monkeypatch.chdir(toy.parent)
    torch.save(dict(state_dict=torch.zeros(1000)), 'cut.pth')
    content = (toy.parent / 'cut.pth').read_bytes()
    (toy.parent / 'cut.pth').write_bytes(content[:2000])
    words = ['CONFIG', *arguments]
    stopped = run_main(toy, repo_root, monkeypatch, f'{tool}.py', words)
    assert str(stopped.code).startswith(f'{tool}: ') and message in stopped.code
    assert '\n' not in stopped.code


@pytest.mark.parametrize(
    'tool, method', [('train', 'forward'), ('test', '__getitem__')]
)
def test_errors_within_a_loop_keep_their_traceback(
    toy, repo_root, monkeypatch, tool, method
):
    module = toy.parent / 'toy_of_tools.py'
    head, mark, body = module.read_text().partition(f'def {method}')
    line, end, rest = body.partition(':\n')
    fault = "raise ValueError('within the loop')\n        "
    module.write_text(f'{head}{mark}{line}{end}        {fault}{rest.lstrip()}')
    monkeypatch.chdir(toy.parent)
    with pytest.raises(ValueError, match='within the loop'):
        run_main(toy, repo_root, monkeypatch, f'{tool}.py', ['CONFIG'])


def run_main(toy, repo_root, monkeypatch, tool, arguments):
    """Runs a tool in this process; gives what it exits with."""
    path = repo_root / 'tools' / tool
    words = [str(toy) if word == 'CONFIG' else word for word in arguments]
    monkeypatch.setattr(sys, 'argv', [str(path), *words])
    monkeypatch.syspath_prepend(str(toy.parent))
    for registry in (DATASETS, METRICS, MODELS):
        monkeypatch.setattr(registry, '_module_dict', dict(registry.module_dict))
    monkeypatch.delitem(sys.modules, 'toy_of_tools', raising=False)
    try:
        with pytest.raises(SystemExit) as stopped:
            runpy.run_path(str(path), run_name='__main__')
    finally:
        sys.modules.pop('toy_of_tools', None)
    return stopped.value
