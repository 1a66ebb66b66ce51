"""Evaluates models and writes reports.

One run writes report.json and report.md. Several, of several configs or of one on
several benchmarks, go into a folder each, one after another and each in a process of
its own; report.json, comparison.md and comparison.html then put them side by side. A
run that fails is named at the end, and the exit status is 1.

A checkpoint belongs to all configs before it that have none yet; `-` means none. A
model without one is evaluated as its config builds it: encoders load the weights that
their config names, everything else is untrained.
"""

import argparse
import sys
from functools import partial
from pathlib import Path

from mmengine.config import Config
from rich.console import Console

import openvocab  # noqa: F401  (before a config is read: enables 'openvocab::' bases)
from openvocab.engine import launch
from openvocab.engine.argument_types import checkpoint_file, existing_file
from openvocab.engine.arguments import add_run_arguments
from openvocab.engine.benchmarks import own_benchmark, select_benchmark
from openvocab.engine.run_apart import command_of, is_first_process, run_all
from openvocab.engine.run_plan import ALL, NO_CHECKPOINT, PlannedRun, plan_runs
from openvocab.engine.runner import StrictRunner
from openvocab.engine.user_errors import Setup, user_errors
from openvocab.reports import Comparison, Report, load_report


def build_parser() -> argparse.ArgumentParser:
    """The command line."""
    parser = argparse.ArgumentParser(
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        epilog='Several GPUs: bash tools/dist_test.sh CONFIG CHECKPOINT GPUS.',
    )
    parser.add_argument(
        'words',
        nargs='+',
        type=_word,
        metavar='CONFIG [CHECKPOINT]',
        help='configs (configs/<method>/*.py), and checkpoints of tools/train.py, '
        'by path, https://... or hf-hub:...',
    )
    parser.add_argument(
        '--benchmarks',
        nargs='+',
        metavar='NAME',
        help='benchmarks of the config: its own one, those of its table `benchmarks`, '
        f'or `{ALL}` (default: its own one)',
    )
    parser.add_argument(
        '--out',
        metavar='DIR',
        help='the report goes here (default: the work directory)',
    )
    parser.add_argument(
        '--method',
        action='append',
        metavar='NAME',
        help='name of the row in the report (default: the name of the config); of '
        'several configs one for each: --method A --method B. Equal names count as '
        'repeated runs',
    )
    add_run_arguments(parser)
    return parser


def main(argv: list[str] | None = None) -> None:
    """Tests what the command line asks for."""
    args = build_parser().parse_intermixed_args(argv)
    with user_errors('test') as setup:
        root, runs = plan_runs(args.words, args.benchmarks, args.method, args.work_dir)
        # all of them, before hours are spent on the first
        read = launch.load_run if len(runs) == 1 else launch.read_run
        configs = [_read(args, run, read) for run in runs]
        for cfg in configs:
            launch.check_weight_files(cfg)
            if cfg.get('test_cfg') is None:
                raise ValueError(f'{cfg.filename} has nothing to test (no test_cfg)')
        out = args.out or (root if len(runs) > 1 else None)
        if out is not None:
            Path(out).mkdir(parents=True, exist_ok=True)
        if len(runs) == 1:
            test(configs[0], runs[0], args.out, setup)
            return
    sys.exit(compare(args, runs, Path(out)))


def test(cfg: Config, run: PlannedRun, out: str | None, setup: Setup) -> None:
    """Tests one model on one benchmark."""
    cfg.load_from = run.checkpoint
    cfg.resume = False
    # Where a config has several benchmarks, its metafile calls them by their names.
    name = run.benchmark or own_benchmark(cfg)
    published = name if cfg.get('benchmarks') else None
    launch.ensure_report(
        cfg, out, run.method, benchmark=name, published_dataset=published
    )
    runner = StrictRunner.from_cfg(cfg)
    setup.ends_when_running(runner)
    # Runner.test does not, but frozen encoders are in no checkpoint: their config names
    # the weights.
    runner._init_model_weights()
    runner.test()


def compare(args: argparse.Namespace, runs: list[PlannedRun], folder: Path) -> int:
    """Runs everything and writes the comparison; returns the exit status."""
    console = Console()
    first = is_first_process(args.launcher)
    comparison = Comparison(Report(), [])

    def begin(number: int, run: PlannedRun) -> None:
        if first:
            console.rule(f'{number} of {len(runs)}: {run.title}', align='left')

    def done(run: PlannedRun, failure: str | None) -> None:
        if failure is not None:
            comparison.failures.append(f'{run.title}: {failure}')
        elif first:
            comparison.report.rows += load_report(run.folder).rows
        if first:
            comparison.write(folder)  # now, in case that this process is ended

    command = partial(
        command_of, __file__, launcher=args.launcher, options=args.raw_cfg_options
    )
    run_all(runs, command, done, begin)
    if first:
        comparison.render()
        told = f'written: {folder}/comparison.html, comparison.md and report.json'
        console.print(told, highlight=False, soft_wrap=True)
        if comparison.failures:
            count = f'{len(comparison.failures)} of {len(runs)} runs failed:'
            print(count, *comparison.failures, sep='\n  ', file=sys.stderr)
    return int(bool(comparison.failures))


def _read(args: argparse.Namespace, run: PlannedRun, read: launch.Reader) -> Config:
    given = argparse.Namespace(**vars(args))
    given.config = run.config
    given.work_dir = None if run.folder is None else str(run.folder)
    if run.benchmark is None:
        return read(given)
    return read(given, partial(select_benchmark, name=run.benchmark))


def _word(text: str) -> str:
    if text == NO_CHECKPOINT:
        return text
    if text == 'none':
        raise argparse.ArgumentTypeError(f'no checkpoint is written {NO_CHECKPOINT}')
    is_config = text.endswith('.py')
    return existing_file(text) if is_config else checkpoint_file(text)


if __name__ == '__main__':
    main()
