"""Which runs a command line asks for, and that each runs apart."""

import os
import signal
import sys
from pathlib import Path

import pytest

from openvocab.engine.run_apart import (
    command_of,
    is_first_process,
    run_all,
    run_apart,
)
from openvocab.engine.run_plan import PlannedRun, plan_runs


@pytest.fixture
def config(tmp_path):
    def write(name, text='', folder='.'):
        path = tmp_path / folder / f'{name}.py'
        path.parent.mkdir(exist_ok=True)
        path.write_text(text)
        return str(path)

    return write


def test_a_checkpoint_belongs_to_the_configs_before_it():
    root, runs = plan_runs(['a_x.py', 'a_y.py', 'a.pth', 'b_x.py', '-', 'c_x.py'])
    assert root == Path('work_dirs/comparison')
    assert [(run.config, run.checkpoint) for run in runs] == [
        ('a_x.py', 'a.pth'),
        ('a_y.py', 'a.pth'),
        ('b_x.py', None),
        ('c_x.py', None),
    ]
    assert [run.folder for run in runs] == [root / n for n in 'a_x a_y b_x c_x'.split()]
    assert {run.method for run in runs} == {None}


def test_one_run_keeps_its_folder(config, monkeypatch):
    monkeypatch.setattr('openvocab.engine.run_plan.select_benchmark', lambda *a: None)
    path = config('m_e_voc21', 'benchmarks = dict(pc59=dict(), a150=dict())')
    assert plan_runs([path])[1] == [PlannedRun(path)]
    (run,) = plan_runs([path, 'x.pth'], None, ['M'], 'out')[1]
    assert run == PlannedRun(path, 'x.pth', None, 'M', Path('out'))
    (run,) = plan_runs([path], ['pc59'])[1]
    assert run.folder == Path('work_dirs/m_e_voc21/pc59')


def test_benchmarks_of_one_config_and_of_several(config, monkeypatch):
    monkeypatch.setattr('openvocab.engine.run_plan.select_benchmark', lambda *a: None)
    first = config('m_e_voc21', 'benchmarks = dict(pc59=dict())')
    second = config('m_f_voc21')
    root, runs = plan_runs([first], ['all'])
    assert [run.folder for run in runs] == [root / 'voc21', root / 'pc59']
    assert root == Path('work_dirs/m_e_voc21')
    _, runs = plan_runs([first, second], ['all'], None, 'out')
    assert [(run.benchmark, run.folder.name) for run in runs] == [
        ('voc21', 'm_e_voc21-voc21'),
        ('pc59', 'm_e_voc21-pc59'),
        ('voc21', 'm_f_voc21-voc21'),
    ]


def test_equal_rows_are_wanted_or_told_apart(config):
    paths = ['m_x.py', 'a/epoch_3.pth', 'm_x.py', 'b/epoch_3.pth']
    _, named = plan_runs(paths, None, ['M', 'M'])
    assert [run.method for run in named] == ['M', 'M']
    assert [run.folder.name for run in named] == ['M', 'M-2']
    _, runs = plan_runs(paths)
    assert [run.method for run in runs] == ['m_x (a/epoch_3)', 'm_x (b/epoch_3)']
    assert runs[0].folder.name == 'm_x_a_epoch_3'
    _, runs = plan_runs(['m_x.py', 'a/iter_9.pth', 'm_x.py', '-'])
    assert [run.method for run in runs] == ['m_x (iter_9)', 'm_x (no checkpoint)']
    _, runs = plan_runs(['a/m_x.py', 'b/m_x.py'])
    assert [run.method for run in runs] == [
        'm_x (a/m_x.py, no checkpoint)',
        'm_x (b/m_x.py, no checkpoint)',
    ]


def test_the_command_of_a_run():
    run = PlannedRun('c.py', 'c.pth', 'pc59', 'C', Path('out/c'))
    options = ['a.b=[1,2]', 'c="d e"']
    command = command_of('test.py', run, 'pytorch', options)
    assert command[0] == sys.executable
    assert (
        command[1:]
        == (
            'test.py c.py c.pth --work-dir out/c --out out/c --method C '
            '--benchmarks pc59 --launcher pytorch --cfg-options'
        ).split()
        + options
    )
    assert '--cfg-options' not in command_of('test.py', run)


def python(*lines):
    return [sys.executable, '-c', '\n'.join(lines)]


def test_what_went_wrong_is_told(capfd):
    assert run_apart(python('print("fine")'), os.environ) is None
    failure = run_apart(python('raise ValueError("no\\xe9")'), os.environ)
    assert failure.startswith('exit code 1, ValueError: no')
    killed = python('import os', f'os.kill(os.getpid(), {int(signal.SIGKILL)})')
    assert run_apart(killed, os.environ) == 'killed (SIGKILL)'
    output = capfd.readouterr()
    assert 'fine' in output.out and 'Traceback' in output.err


def test_distributed_runs_meet_at_ports_of_their_own(monkeypatch, capfd):
    monkeypatch.setenv('TORCHELASTIC_USE_AGENT_STORE', 'True')
    monkeypatch.setenv('MASTER_PORT', '400')
    ask = ['import os', 'e = os.environ']
    ask += ['print(e["MASTER_PORT"], e["TORCHELASTIC_USE_AGENT_STORE"])']
    failures = []
    runs = [PlannedRun('a.py'), PlannedRun('b.py')]
    run_all(runs, lambda run: python(*ask), lambda run, f: failures.append(f))
    assert capfd.readouterr().out == '401 False\n402 False\n' and failures == [None] * 2


def test_the_main_process_is_known_from_the_launcher(monkeypatch):
    monkeypatch.setenv('RANK', '1')
    monkeypatch.setenv('SLURM_PROCID', '0')
    assert is_first_process('none') and is_first_process('slurm')
    assert not is_first_process('pytorch')
