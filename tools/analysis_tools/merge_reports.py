"""Joins reports of several runs into one table; equal methods become mean ± std."""

import argparse
import sys

from rich.console import Console

from openvocab.evaluation.report import merge


def parse_args(argv: list[str] | None = None) -> argparse.Namespace:
    """Reads the command line."""
    parser = argparse.ArgumentParser(
        description='Join report.json files into one table. Rows with the same method '
        'name count as repeated runs (seeds): the table shows mean ± sample standard '
        'deviation, the written report.json keeps every row.',
    )
    parser.add_argument(
        'paths', nargs='+', help='report.json files or folders that hold one'
    )
    parser.add_argument('--out', help='folder for the joined report.json and report.md')
    return parser.parse_args(argv)


def main(argv: list[str] | None = None) -> None:
    """Joins, shows and writes."""
    args = parse_args(argv)
    try:
        report = merge(args.paths)
    except (FileNotFoundError, ValueError) as error:
        sys.exit(f'merge_reports: {error}')
    report.render()
    if args.out:
        report.write(args.out)
        Console().print(f'written to {args.out}', highlight=False)


if __name__ == '__main__':
    main()
