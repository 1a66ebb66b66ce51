"""Prints a config with everything that it inherits, as tools/train.py sees it."""

import argparse

from mmengine.config import Config
from rich.console import Console
from rich.syntax import Syntax

import openvocab  # noqa: F401  (before a config is read: enables 'openvocab::' bases)
from openvocab.engine.arguments import add_cfg_options
from openvocab.engine.launch import existing_file


def main(argv: list[str] | None = None) -> None:
    """Reads, changes and prints."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument(
        'config', type=existing_file, help='config file (configs/<method>/*.py)'
    )
    add_cfg_options(parser)
    args = parser.parse_args(argv)
    cfg = Config.fromfile(args.config)
    if args.cfg_options:
        cfg.merge_from_dict(args.cfg_options)
    console = Console()
    if console.is_terminal:
        console.print(Syntax(cfg.pretty_text, 'python'))
    else:  # a file gets what it can be read back from
        console.file.write(cfg.pretty_text)


if __name__ == '__main__':
    main()
