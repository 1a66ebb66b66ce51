"""Prints how many parameters of a config's model train, part by part.

Needs no weights. Beside what trains and what is frozen stands what the config names as
trainable although the forward pass never reads it: it is frozen here, and counted by
some papers.
"""

import argparse

from mmengine.registry import init_default_scope
from rich.console import Console

import openvocab  # noqa: F401  (before a config is read: enables 'openvocab::' bases)
from openvocab.analysis.parameter_table import count_parameters, parameter_table
from openvocab.engine import launch


def build_parser() -> argparse.ArgumentParser:
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument(
        'config', type=launch.existing_file, help='config file (configs/<method>/*.py)'
    )
    launch.add_common_arguments(parser)
    return parser


def main() -> None:
    """Builds the model with random weights and counts."""
    from openvocab.registry import MODELS
    from openvocab.testing import without_weights

    parser = build_parser()
    args = parser.parse_args()
    try:
        cfg = launch.load_config(args)
    except ValueError as error:
        parser.error(str(error))
    init_default_scope(cfg.default_scope)
    console = Console()
    with console.status('building the model'):
        model = MODELS.build(without_weights(cfg.model))
    console.print(parameter_table(count_parameters(model), args.config))


if __name__ == '__main__':
    main()
