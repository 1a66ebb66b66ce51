"""Tests one after another, each in a process of its own.

So no run sees what another left behind (default scope, registries, visualizers, random
numbers, memory), its peak memory is its own, and one that fails or is killed takes no
other with it.
"""

import os
import signal
import subprocess
import sys
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from .run_plan import PlannedRun

# Where processes find their number, by launcher.
_RANK = dict(pytorch='RANK', slurm='SLURM_PROCID', mpi='OMPI_COMM_WORLD_RANK')


def is_first_process(launcher: str) -> bool:
    """Whether this is the main process of a job, before the processes have met."""
    return int(os.environ.get(_RANK.get(launcher, ''), 0)) == 0


def command_of(
    tool: str | Path,
    run: PlannedRun,
    launcher: str = 'none',
    options: Sequence[str] = (),
) -> list[str]:
    """The command line of one run.

    Args:
        tool: Path of ``tools/test.py``.
        run: The run, with its folder.
        launcher: As for the tool.
        options: What followed ``--cfg-options``, as it was written.
    """
    words = [sys.executable, str(tool), run.config]
    words += [run.checkpoint] if run.checkpoint else []
    words += ['--work-dir', str(run.folder), '--out', str(run.folder)]
    words += ['--method', run.method] if run.method else []
    words += ['--benchmarks', run.benchmark] if run.benchmark else []
    words += ['--launcher', launcher]
    return words + (['--cfg-options', *options] if options else [])


def run_apart(command: Sequence[str], env: Mapping[str, str]) -> str | None:
    """Runs a command; its output appears as it is written.

    Returns:
        None if all went well, else what went wrong: how it ended, and the last line
        that it wrote to standard error.
    """
    last = ''
    with subprocess.Popen(
        command, env=env, stderr=subprocess.PIPE, text=True, errors='replace'
    ) as process:
        for line in process.stderr:
            sys.stderr.write(line)
            last = line.strip() or last
    code = process.returncode
    if code == 0:
        return None
    end = f'exit code {code}' if code > 0 else f'killed ({signal.Signals(-code).name})'
    return f'{end}, {last}' if last else end


def run_all(
    runs: Sequence[PlannedRun],
    command: Callable[[PlannedRun], Sequence[str]],
    done: Callable[[PlannedRun, str | None], None],
    begin: Callable[[int, PlannedRun], None] = lambda number, run: None,
) -> None:
    """Runs everything, in order.

    Args:
        runs: The runs.
        command: The command line of a run.
        done: Called after each with what went wrong, None if nothing did.
        begin: Called before each with its number, from 1.
    """
    for number, run in enumerate(runs, 1):
        begin(number, run)
        done(run, run_apart(command(run), _environment(number)))


def _environment(number: int) -> dict[str, str]:
    env = dict(os.environ)
    if 'TORCHELASTIC_USE_AGENT_STORE' in env:
        # The launcher's store still holds what the processes of the run before agreed
        # on; each run meets at a port of its own.
        env['TORCHELASTIC_USE_AGENT_STORE'] = 'False'
        env['MASTER_PORT'] = str(int(env['MASTER_PORT']) + number)
    return env
