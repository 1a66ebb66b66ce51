"""Command-line arguments that several tools have."""

import argparse
from collections.abc import Sequence

from mmengine.config import DictAction

from openvocab.device import default_device

from .argument_types import available_device, picture_file, positive_int


class KeyValues(DictAction):
    """mmengine's ``DictAction`` that says what is wrong with a word.

    It also keeps the words as they were written, for the command line of another
    process: those of ``--cfg-options`` stand in ``raw_cfg_options``.
    """

    def __call__(
        self,
        parser: argparse.ArgumentParser,
        namespace: argparse.Namespace,
        values: Sequence[str],
        option_string: str | None = None,
    ) -> None:
        """Parses the options and keeps them."""
        for word in values:
            if not word.partition('=')[0] or '=' not in word:
                raise argparse.ArgumentError(self, f'{word!r} is not KEY=VALUE')
        setattr(namespace, f'raw_{self.dest}', list(values))
        try:
            super().__call__(parser, namespace, values, option_string)
        except AssertionError as error:  # brackets
            raise argparse.ArgumentError(self, str(error)) from error


def add_key_values(parser: argparse.ArgumentParser, option: str, help: str) -> None:
    """Adds an option that takes ``KEY=VALUE ...``: a dict, or None."""
    parser.add_argument(
        option, nargs='+', action=KeyValues, metavar='KEY=VALUE', help=help
    )


def add_cfg_options(parser: argparse.ArgumentParser) -> None:
    """Adds ``--cfg-options``: a dict of changes of the config, or None."""
    add_key_values(
        parser,
        '--cfg-options',
        'change entries of the config, e.g. train_dataloader.batch_size=8 or '
        'a.b="[1,2]" (no white space inside a value)',
    )
    parser.set_defaults(raw_cfg_options=[])


def add_run_arguments(parser: argparse.ArgumentParser) -> None:
    """Adds what every tool has that runs a config."""
    parser.add_argument(
        '--work-dir',
        metavar='DIR',
        help='logs and results go here (default: work_dirs/<name of the config>)',
    )
    add_cfg_options(parser)
    parser.add_argument(
        '--launcher',
        choices=['none', 'pytorch', 'slurm', 'mpi'],
        default='none',
        help='how the processes of a distributed job were started',
    )
    # torch.distributed.launch passes --local-rank since torch 2.0, --local_rank before.
    parser.add_argument(
        '--local-rank', '--local_rank', type=int, default=0, help=argparse.SUPPRESS
    )


def add_device(parser: argparse.ArgumentParser) -> None:
    """Adds ``--device``: a GPU if there is one."""
    parser.add_argument(
        '--device',
        type=available_device,
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
        type=positive_int,
        default=size,
        help='longer side in pixels (default: %(default)s)',
    )
    add_device(parser)
    parser.add_argument(
        '--out',
        type=picture_file,
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
