"""Measures the speed and the memory of a config, or compares two.

Prints images/s, peak memory, the share of every part of the step (data, student,
teacher, pooling, loss, text, backward, optimizer; of a detector backbone, neck, heads,
what grows with the classes), how fast one loader worker is, and on CUDA how often a
step makes the host wait for the device.
"""

import argparse
import tempfile
from pathlib import Path

import torch
from rich.console import Console

import openvocab  # noqa: F401  (before a config is read: enables 'openvocab::' bases)
from openvocab.analysis.benchmark import Workload, run
from openvocab.analysis.benchmark_config import read_config
from openvocab.analysis.benchmark_table import benchmark_table
from openvocab.analysis.timed_step import STEPS
from openvocab.engine.argument_types import positive_int
from openvocab.engine.arguments import add_cfg_options, add_device, add_key_values
from openvocab.engine.user_errors import user_errors

_EPILOG = """\
examples:
  # a published config on a machine without COCO and without weights
  python tools/analysis_tools/benchmark.py \\
      configs/densevlm/densevlm_eva02-b16_4xb48-6e_coco-512.py \\
      --random-weights --synthetic-images --out benchmark.json
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
        choices=list(STEPS),
        default='train',
        help='a training step (default), or prediction on the test loader',
    )
    add('--steps', type=positive_int, default=10, help='timed steps per block (10)')
    add('--warmup', type=positive_int, default=3, help='untimed steps before (3)')
    add('--pairs', type=positive_int, default=5, help='with --vs: pairs of blocks (5)')
    add(
        '--batch-size',
        type=positive_int,
        metavar='B',
        help="images per step (default: the config's)",
    )
    add_device(parser)
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
        type=positive_int,
        metavar='N',
        help='replace the vocabulary by N synthetic names with random text rows; a '
        'second number is for the second config',
    )
    add('--out', metavar='FILE.json', help='also write the figures to a file')
    add_cfg_options(parser)
    add_key_values(
        parser,
        '--vs-options',
        'change more entries of the second config only; --cfg-options holds for both',
    )
    args = parser.parse_args(argv)
    if args.vs_options and not args.vs:
        parser.error('--vs-options needs --vs')
    if args.classes and len(args.classes) > (2 if args.vs else 1):
        parser.error('--classes: one number per config at most')
    return args


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
    kind = STEPS[args.mode]
    configs = [
        read_config(
            path,
            kind,
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
        Workload(cfg, kind, device, name)
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
            with user_errors('benchmark'):
                workloads = build(args, Path(folder))
            # A status line moves only on a terminal; a log file gets lines.
            tell = status.update if console.is_terminal else Console(stderr=True).print
            comparison = run(workloads, args.steps, args.warmup, args.pairs, tell)
    console.print(benchmark_table(comparison))
    if args.out:
        with user_errors('benchmark'):
            comparison.write(args.out)
        console.print(f'written to {args.out}', highlight=False)


if __name__ == '__main__':
    main()
