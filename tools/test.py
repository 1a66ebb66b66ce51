"""Evaluates a model and writes report.json and report.md.

Without CHECKPOINT the model is evaluated as its config builds it: encoders load the
weights that their config names, everything else is untrained.
"""

import argparse

from mmengine.runner import Runner

import openvocab  # noqa: F401  (before a config is read: enables 'openvocab::' bases)
from openvocab.engine import launch


def build_parser() -> argparse.ArgumentParser:
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
    parser.add_argument(
        '--method',
        metavar='NAME',
        help='name of the row in the report (default: the name of the config)',
    )
    launch.add_common_arguments(parser)
    return parser


def main() -> None:
    """Builds the runner and tests."""
    parser = build_parser()
    args = parser.parse_args()
    try:
        cfg = launch.load_config(args)
    except ValueError as error:
        parser.error(str(error))
    cfg.load_from = args.checkpoint
    cfg.resume = False
    launch.ensure_report(cfg, args.out, args.method)
    runner = Runner.from_cfg(cfg)
    # Runner.test does not, but frozen encoders are in no checkpoint: their config names
    # the weights.
    runner._init_model_weights()
    runner.test()


if __name__ == '__main__':
    main()
