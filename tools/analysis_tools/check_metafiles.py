"""Checks the metafiles, and that the tables of the pages are what they say.

Exits with 1 if anything is wrong. --write brings the tables up to date; they stand
between <!-- begin published --> and <!-- end published --> (or configs, measured) in
README.md and configs/*/README.md.
"""

import argparse
from pathlib import Path

from rich.console import Console

from openvocab.engine.user_errors import one_line
from openvocab.fileio import write_atomically
from openvocab.zoo import ModelIndex, check_index, fill_blocks


def build_parser() -> argparse.ArgumentParser:
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument(
        '--write', action='store_true', help='write the tables that are out of date'
    )
    parser.add_argument(
        '--root',
        type=Path,
        default=Path(__file__).resolve().parents[2],
        metavar='DIR',
        help='folder of model-index.yml (default: that of this tool)',
    )
    return parser


def main(argv: list[str] | None = None) -> int:
    """Checks, and returns the exit code."""
    args = build_parser().parse_args(argv)
    console = Console(soft_wrap=True, highlight=False)
    try:
        index = ModelIndex.load(args.root)
        faults = check_index(index)
    except (OSError, ValueError) as error:
        console.print(one_line(error), markup=False)
        return 1
    for path in sorted(
        [*args.root.glob('README.md'), *args.root.glob('configs/**/*.md')]
    ):
        name = path.relative_to(args.root)
        text = path.read_text(encoding='utf-8')
        try:
            filled = fill_blocks(text, index, name.parent)
        except ValueError as error:
            faults.append(f'{name}: {error}')
            continue
        if filled == text:
            continue
        if args.write:
            write_atomically(path, filled.encode())
            console.print(f'{name}: written', markup=False)
        else:
            faults.append(f'{name}: tables are out of date, run with --write')
    for fault in faults:
        console.print(fault, markup=False)
    if not faults:
        console.print(f'{len(index.models)} models, no faults')
    return bool(faults)


if __name__ == '__main__':
    raise SystemExit(main())
