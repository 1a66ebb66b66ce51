"""Prints a config with everything that it inherits, as tools/train.py sees it."""

import argparse

from rich.console import Console
from rich.syntax import Syntax

import openvocab  # noqa: F401  (before a config is read: enables 'openvocab::' bases)
from openvocab.engine import launch
from openvocab.engine.argument_types import existing_file
from openvocab.engine.arguments import add_cfg_options
from openvocab.engine.user_errors import user_errors


def main(argv: list[str] | None = None) -> None:
    """Reads, changes and prints."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument(
        'config', type=existing_file, help='config file (configs/<method>/*.py)'
    )
    add_cfg_options(parser)
    args = parser.parse_args(argv)
    with user_errors('print_config'):
        cfg = launch.read_config(args.config, args.cfg_options)
    console = Console()
    if console.is_terminal:
        console.print(Syntax(cfg.pretty_text, 'python'))
    else:  # a file gets what it can be read back from
        console.file.write(cfg.pretty_text)


if __name__ == '__main__':
    main()
