"""Scalars of runs: resumed ones, killed ones, and the tool's table."""

import json
import runpy
from pathlib import Path

import pytest

from openvocab.analysis.run_log import read_run_log

TOOL = Path(__file__).parents[2] / 'tools/analysis_tools/analyze_logs.py'


def write(folder, time, entries, tail=''):
    path = folder / time / 'vis_data' / 'scalars.json'
    path.parent.mkdir(parents=True)
    lines = [json.dumps(entry) for entry in entries]
    path.write_text('\n'.join([*lines, tail]))
    return path


def train(step, loss):
    return dict(loss=loss, time=0.5, data_time=0.1, iter=step, step=step, epoch=1)


def test_a_resumed_run_is_one_run(tmp_path):
    run = tmp_path / 'run'
    write(run, '20260101_000000', [train(10, 3.0), train(20, 9.0)], tail='{"loss": 1')
    write(run, '20260102_000000', [train(20, 2.0), dict(miou=41.5, step=20)])
    log = read_run_log(run)
    assert (log.name, log.steps) == ('run', 20)
    assert log.series['loss'] == {10: 3.0, 20: 2.0}
    assert log.series['miou'] == {20: 41.5}
    assert log.mean('time') == 0.5 and log.mean('lr') is None
    assert 'iter' not in log.series


def test_one_file_is_a_run(tmp_path):
    path = write(tmp_path / 'run', 't', [train(10, 3.0)])
    assert read_run_log(path).name == 'run'


def test_faults_are_named(tmp_path):
    with pytest.raises(FileNotFoundError, match='no scalars'):
        read_run_log(tmp_path)
    path = write(tmp_path / 'run', 't', [])
    path.write_text('{}\nbroken\n{}\n')
    with pytest.raises(ValueError, match='line 2: not json'):
        read_run_log(path)


def test_the_tool_shows_and_draws(tmp_path, capsys):
    main = runpy.run_path(str(TOOL))['main']
    for name, end in (('a', 1.25), ('b', 0.75)):
        write(tmp_path / name, 't', [train(10, 3.0), train(20, end)])
    runs = [str(tmp_path / 'a'), str(tmp_path / 'b')]
    main([*runs, '--keys', 'loss', '--out', str(tmp_path / 'curves.png')])
    out = capsys.readouterr().out
    assert '1.25' in out and '0.75' in out and '20%' in out and '0.500' in out
    assert (tmp_path / 'curves.png').stat().st_size > 5000
    with pytest.raises(SystemExit, match='a logged no miou; it has data_time, loss'):
        main([*runs, '--keys', 'miou'])
