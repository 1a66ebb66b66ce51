"""Joins reports into one comparison; repeated runs become mean ± std."""

import argparse

from rich.console import Console

from openvocab.engine.user_errors import user_errors
from openvocab.reports import Comparison, merge


def parse_args(argv: list[str] | None = None) -> argparse.Namespace:
    """Reads the command line."""
    parser = argparse.ArgumentParser(
        description='Join report.json files into one comparison. Rows with the same '
        'method name and benchmark count as repeated runs (seeds): tables show mean ± '
        'sample standard deviation, the written report.json keeps every row.',
    )
    parser.add_argument(
        'paths', nargs='+', help='report.json files or folders that hold one'
    )
    parser.add_argument(
        '--out', help='folder for report.json, comparison.md and comparison.html'
    )
    return parser.parse_args(argv)


def main(argv: list[str] | None = None) -> None:
    """Joins, shows and writes."""
    args = parse_args(argv)
    with user_errors('merge_reports'):
        comparison = Comparison(merge(args.paths))
        comparison.render()
        if args.out:
            comparison.write(args.out)
    if args.out:
        Console().print(
            f'written: {args.out}/comparison.html, comparison.md and report.json',
            highlight=False,
            soft_wrap=True,
        )


if __name__ == '__main__':
    main()
