"""Measures the speed and the memory of a config, or compares two.

Prints images/s, peak memory, the share of every part of the step (data, student,
teacher, pooling, loss, text, backward, optimizer; of a detector backbone, neck, heads,
what grows with the classes), how fast one loader worker is, and on CUDA how often a
step makes the host wait for the device.
"""

import argparse
import sys
import tempfile
from pathlib import Path

import torch
from mmengine.config import DictAction
from rich.console import Console

import openvocab  # noqa: F401  (before a config is read: enables 'openvocab::' bases)
from openvocab.analysis.benchmark import Workload, run
from openvocab.analysis.benchmark_config import read_config
from openvocab.analysis.benchmark_table import benchmark_table
from openvocab.device import default_device

_EPILOG = """\
examples:
  # a published config on a machine without COCO and without weights
  python tools/analysis_tools/benchmark.py \\
      configs/densevlm/densevlm_eva02-b16_4xb48-6e_coco-512.py \\
      --random-weights --synthetic-images --json benchmark.json
  # two configs in turns, so that both see the same machine
  python tools/analysis_tools/benchmark.py CONFIG --vs OTHER --pairs 10
  # one config with and without an option
  python tools/analysis_tools/benchmark.py CONFIG --vs CONFIG \\
      --vs-options model.backbone.grad_checkpointing=True
  # what 1,203 classes cost a detector of 65
  python tools/analysis_tools/benchmark.py \\
      configs/fvit/fvit_eva02-b16_8xb8-3e_ov-coco.py --vs \\
      configs/fvit/fvit_eva02-b16_8xb8-3e_ov-coco.py --classes 65 1203 \\
      --mode predict --random-weights --synthetic-images
"""


def parse_args(argv: list[str] | None = None) -> argparse.Namespace:
    """Reads the command line."""
    parser = argparse.ArgumentParser(
        description=__doc__,
        epilog=_EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    add = parser.add_argument
    add('config', help='config file (configs/<method>/*.py)')
    add('--vs', metavar='CONFIG', help='second config, timed in turns with the first')
    add(
        '--mode',
        choices=['train', 'predict'],
        default='train',
        help='a training step (default), or prediction on the test loader',
    )
    add('--steps', type=_positive, default=10, help='timed steps per block (10)')
    add('--warmup', type=_positive, default=3, help='untimed steps before (3)')
    add('--pairs', type=_positive, default=5, help='with --vs: pairs of blocks (5)')
    add(
        '--batch-size',
        type=_positive,
        metavar='B',
        help="images per step (default: the config's)",
    )
    add(
        '--device',
        choices=['cpu', 'cuda'],
        default=default_device().type,
        help='default: cuda where there is one',
    )
    add(
        '--random-weights',
        action='store_true',
        help='load no checkpoint and draw text rows; the speed is the same',
    )
    add(
        '--synthetic-images',
        action='store_true',
        help='random 640 x 480 jpgs in a temporary folder instead of the data set',
    )
    add(
        '--classes',
        nargs='+',
        type=_positive,
        metavar='N',
        help='replace the vocabulary by N synthetic names with random text rows; a '
        'second number is for the second config',
    )
    add('--json', metavar='FILE', help='also write the figures to FILE')
    add(
        '--cfg-options',
        nargs='+',
        action=DictAction,
        metavar='KEY=VALUE',
        help='change entries of the config, and of the second one',
    )
    add(
        '--vs-options',
        nargs='+',
        action=DictAction,
        metavar='KEY=VALUE',
        help='change more entries of the second config only',
    )
    args = parser.parse_args(argv)
    if args.device == 'cuda' and default_device().type != 'cuda':
        parser.error('--device cuda: no CUDA device here')
    if args.vs_options and not args.vs:
        parser.error('--vs-options needs --vs')
    if args.classes and len(args.classes) > (2 if args.vs else 1):
        parser.error('--classes: one number per config at most')
    return args


def _positive(text: str) -> int:
    value = int(text)
    if value < 1:
        raise argparse.ArgumentTypeError(f'must be at least 1, got {value}')
    return value


def build(args: argparse.Namespace, folder: Path) -> list[Workload]:
    """Builds what is going to be timed.

    Args:
        args: The command line.
        folder: Empty folder for logs and random images.
    """
    sources = [(args.config, args.cfg_options)]
    if args.vs:
        options = {**(args.cfg_options or {}), **(args.vs_options or {})}
        sources.append((args.vs, options or None))
    classes = [None] * len(sources)
    if args.classes:
        classes = (args.classes * 2)[: len(sources)]
    names = [
        Path(path).stem + (f', {count} classes' if count else '')
        for (path, _), count in zip(sources, classes, strict=True)
    ]
    if len(set(names)) < len(names):
        names[1] += ' (second)'
    device = torch.device(args.device)
    configs = [
        read_config(
            path,
            args.mode,
            folder / str(index),
            options,
            args.batch_size,
            args.random_weights,
            args.synthetic_images,
            count,
        )
        for index, ((path, options), count) in enumerate(
            zip(sources, classes, strict=True)
        )
    ]
    return [
        Workload(cfg, args.mode, device, name)
        for cfg, name in zip(configs, names, strict=True)
    ]


def main(argv: list[str] | None = None) -> None:
    """Measures, shows and writes."""
    args = parse_args(argv)
    console = Console()
    with tempfile.TemporaryDirectory(
        prefix='openvocab_benchmark_', ignore_cleanup_errors=True
    ) as folder:
        with console.status('building') as status:
            try:
                workloads = build(args, Path(folder))
            except (FileNotFoundError, KeyError, ValueError) as error:
                sys.exit(f'benchmark: {error.args[-1] if error.args else error}')
            # A status line moves only on a terminal; a log file gets lines.
            tell = status.update if console.is_terminal else Console(stderr=True).print
            comparison = run(workloads, args.steps, args.warmup, args.pairs, tell)
    console.print(benchmark_table(comparison))
    if args.json:
        comparison.write(args.json)
        console.print(f'written to {args.json}', highlight=False)


if __name__ == '__main__':
    main()
