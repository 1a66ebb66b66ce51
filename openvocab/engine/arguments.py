"""Command-line arguments that several tools have."""

import argparse

from mmengine.config import DictAction


def add_cfg_options(parser: argparse.ArgumentParser) -> None:
    """Adds ``--cfg-options``: a dict of changes of the config, or None."""
    parser.add_argument(
        '--cfg-options',
        nargs='+',
        action=DictAction,
        metavar='KEY=VALUE',
        help='change entries of the config',
    )


def add_device(parser: argparse.ArgumentParser) -> None:
    """Adds ``--device``: a GPU if there is one."""
    from openvocab.device import default_device

    parser.add_argument(
        '--device',
        default=default_device().type,
        help='where models run (default: %(default)s)',
    )


def add_classes(parser: argparse.ArgumentParser) -> None:
    """Adds ``--texts`` and ``--vocab``, of which one may be given."""
    classes = parser.add_mutually_exclusive_group()
    classes.add_argument(
        '--texts',
        metavar='NAMES',
        help="classes, with commas: 'cat, park bench, sky' (default: those of the "
        'config)',
    )
    classes.add_argument(
        '--vocab',
        metavar='NAME',
        help='or a packaged vocabulary (coco_80, ade20k_150, lvis_v1, ...), or a json '
        'file of one',
    )


def add_figure(parser: argparse.ArgumentParser, name: str, size: int) -> None:
    """Adds what tools that draw encoders side by side have.

    Args:
        parser: The parser.
        name: Of the picture, without suffix.
        size: Default of ``--size``, pixels.
    """
    parser.add_argument(
        '--size',
        type=int,
        default=size,
        help='longer side in pixels (default: %(default)s)',
    )
    add_device(parser)
    parser.add_argument(
        '--out',
        default=f'work_dirs/{name}.png',
        help='the picture to write (default: %(default)s)',
    )


def check_one_per_config(
    parser: argparse.ArgumentParser, args: argparse.Namespace, *names: str
) -> None:
    """Ends the program if an option has not as many values as ``--configs``.

    Args:
        parser: The parser.
        args: What it read.
        names: Options that may be left out.
    """
    for name in names:
        given = getattr(args, name)
        if given is not None and len(given) != len(args.configs):
            parser.error(
                f'--{name}: one per config expected, {len(args.configs)} in all'
            )
