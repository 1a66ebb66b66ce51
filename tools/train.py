"""Trains the model of a config: alignment, detection or segmentation."""

import argparse

from mmengine.config import Config

import openvocab  # noqa: F401  (before a config is read: enables 'openvocab::' bases)
from openvocab.engine import launch
from openvocab.engine.argument_types import existing_file
from openvocab.engine.arguments import add_run_arguments
from openvocab.engine.runner import StrictRunner
from openvocab.engine.user_errors import user_errors


def build_parser() -> argparse.ArgumentParser:
    """The command line."""
    parser = argparse.ArgumentParser(
        description=__doc__,
        epilog='Several GPUs: bash tools/dist_train.sh CONFIG GPUS [the same options].',
    )
    parser.add_argument(
        'config', type=existing_file, help='config file (configs/<method>/*.py)'
    )
    parser.add_argument(
        '--resume',
        nargs='?',
        const='auto',
        metavar='CHECKPOINT',
        help='continue from CHECKPOINT, or from the newest one in the work directory',
    )
    parser.add_argument(
        '--amp',
        action='store_true',
        help='mixed precision: bfloat16 where the GPU has it, else scaled float16',
    )
    parser.add_argument(
        '--no-validate', action='store_true', help='do not evaluate during training'
    )
    parser.add_argument(
        '--auto-scale-lr',
        action='store_true',
        help='scale the learning rate from auto_scale_lr.base_batch_size to the '
        'actual total batch size',
    )
    parser.add_argument(
        '--tensorboard',
        action='store_true',
        help='also write scalars for TensorBoard, into vis_data/ of the run',
    )
    add_run_arguments(parser)
    return parser


def main(argv: list[str] | None = None) -> None:
    """Builds the runner and trains."""
    args = build_parser().parse_args(argv)
    with user_errors('train') as setup:
        cfg = prepare(args)
        runner = StrictRunner.from_cfg(cfg)
        setup.ends_when_running(runner)
        runner.train()


def prepare(args: argparse.Namespace) -> Config:
    """The config as the command line wants it."""
    cfg = launch.load_run(args)
    if cfg.get('train_cfg') is None:
        raise ValueError(
            f'{args.config} has nothing to train (no train_cfg); tools/test.py tests it'
        )
    launch.set_resume(cfg, args.resume)
    if args.auto_scale_lr:
        launch.enable_auto_scale_lr(cfg)
    if args.tensorboard:
        launch.enable_tensorboard(cfg)
    if args.amp:
        launch.enable_amp(cfg)
    if args.no_validate:
        launch.disable_validation(cfg)
    launch.check_weight_files(cfg)
    return cfg


if __name__ == '__main__':
    main()
