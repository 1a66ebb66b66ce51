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
from openvocab.engine.argument_types import existing_file
from openvocab.engine.arguments import add_cfg_options
from openvocab.engine.user_errors import user_errors


def build_parser() -> argparse.ArgumentParser:
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument(
        'config', type=existing_file, help='config file (configs/<method>/*.py)'
    )
    add_cfg_options(parser)
    return parser


def main(argv: list[str] | None = None) -> None:
    """Builds the model with random weights and counts."""
    from openvocab.registry import MODELS
    from openvocab.testing import without_weights

    args = build_parser().parse_args(argv)
    console = Console()
    with user_errors('parameter_table'), console.status('building the model'):
        cfg = launch.read_config(args.config, args.cfg_options)
        if cfg.get('model') is None:
            raise ValueError(f'{args.config} has no model')
        init_default_scope(cfg.get('default_scope') or 'mmengine')
        model = MODELS.build(without_weights(cfg.model))
    console.print(parameter_table(count_parameters(model), args.config))


if __name__ == '__main__':
    main()
