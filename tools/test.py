"""Evaluates a model and writes report.json and report.md.

Without CHECKPOINT the model is evaluated as its config builds it: encoders load the
weights that their config names, everything else is untrained.
"""

import argparse

from mmengine.runner import Runner

import openvocab  # noqa: F401  (before a config is read: enables 'openvocab::' bases)
from openvocab.engine import launch


def parse_args() -> argparse.Namespace:
    """The command line."""
    parser = argparse.ArgumentParser(
        description=__doc__,
        epilog='Several GPUs: bash tools/dist_test.sh CONFIG CHECKPOINT GPUS.',
    )
    parser.add_argument(
        'config', type=launch.existing_file, help='config file (configs/<method>/*.py)'
    )
    parser.add_argument(
        'checkpoint',
        nargs='?',
        type=launch.existing_file,
        help='checkpoint written by tools/train.py',
    )
    parser.add_argument(
        '--out',
        metavar='DIR',
        help='report.json and report.md go here (default: the work directory)',
    )
    launch.add_common_arguments(parser)
    return parser.parse_args()


def main() -> None:
    """Builds the runner and tests."""
    args = parse_args()
    cfg = launch.load_config(args)
    cfg.load_from = args.checkpoint
    cfg.resume = False
    launch.ensure_report(cfg, args.out)
    Runner.from_cfg(cfg).test()


if __name__ == '__main__':
    main()
