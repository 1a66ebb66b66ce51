"""Trains the model of a config: alignment, detection or segmentation."""

import argparse

import openvocab  # noqa: F401  (before a config is read: enables 'openvocab::' bases)
from openvocab.engine import launch
from openvocab.engine.runner import StrictRunner


def build_parser() -> argparse.ArgumentParser:
    """The command line."""
    parser = argparse.ArgumentParser(
        description=__doc__,
        epilog='Several GPUs: bash tools/dist_train.sh CONFIG GPUS [the same options].',
    )
    parser.add_argument(
        'config', type=launch.existing_file, help='config file (configs/<method>/*.py)'
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
    launch.add_common_arguments(parser)
    return parser


def main() -> None:
    """Builds the runner and trains."""
    parser = build_parser()
    args = parser.parse_args()
    try:
        cfg = launch.load_config(args)
        launch.set_resume(cfg, args.resume)
        if args.auto_scale_lr:
            launch.enable_auto_scale_lr(cfg)
        if args.tensorboard:
            launch.enable_tensorboard(cfg)
    except (FileNotFoundError, ValueError) as error:
        parser.error(str(error))
    if args.amp:
        launch.enable_amp(cfg)
    if args.no_validate:
        launch.disable_validation(cfg)
    StrictRunner.from_cfg(cfg).train()


if __name__ == '__main__':
    main()
