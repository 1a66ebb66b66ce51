"""Converts a released checkpoint to one safetensors file of ours.

python tools/model_converters/to_openvocab.py --from densevlm \
    densevlm_coco_6_save6_512_eva_vib16_12layers.pt checkpoints/densevlm_b.safetensors
"""

import argparse

from rich.console import Console
from rich.table import Table

from openvocab.converters.adapter import ADAPTERS
from openvocab.converters.conversion import (
    Inspection,
    inspect_file,
    write_conversion,
)
from openvocab.engine.argument_types import non_negative_int
from openvocab.engine.arguments import add_key_values
from openvocab.engine.user_errors import user_errors


def main() -> None:
    """Reads the command line, reports, and writes the file if nothing is wrong."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument(
        'checkpoint',
        metavar='IN',
        help='released file; hf-hub:ORG/REPO/FILE and https://... too, each with '
        '#sha256=HEX where known',
    )
    parser.add_argument('out', metavar='OUT', help='file to write, .safetensors')
    parser.add_argument(
        '--from',
        dest='family',
        choices=sorted(ADAPTERS),
        metavar='FAMILY',
        help=f'{", ".join(sorted(ADAPTERS))} (found by the keys if possible)',
    )
    parser.add_argument(
        '--arch', help="architecture where several fit: 'ViT-B-16', ..."
    )
    add_key_values(
        parser,
        '--options',
        'what no file of the family says, e.g. release=NAME for declip',
    )
    parser.add_argument(
        '--rows',
        type=non_negative_int,
        default=12,
        help='keys to print per list (0: all)',
    )
    args = parser.parse_args()
    console = Console(highlight=False, markup=False)
    with user_errors('to_openvocab'):
        found = inspect_file(args.checkpoint, args.family, args.arch, args.options)
        report(found, console, args.rows)
        sha256 = write_conversion(found, args.out)
    console.print(f'{args.out}  sha256 {sha256}', soft_wrap=True)


def report(found: Inspection, console: Console, rows: int) -> None:
    """Prints what was mapped, dropped and missing.

    Args:
        found: What became of the file.
        console: Where it is printed.
        rows: Keys per list; 0 is all.
    """
    conversion = found.conversion
    mapped = [(key, ', '.join(ours)) for key, ours in conversion.mapped.items()]
    _print_table(console, f'mapped: {len(mapped)}', ('released', 'ours'), mapped, rows)
    dropped = list(conversion.dropped.items())
    _print_table(console, f'dropped: {len(dropped)}', ('key', 'why'), dropped, rows)
    problems = [(line,) for line in found.problems]
    title = f'missing or wrong: {len(problems)}'
    _print_table(console, title, ('problem',), problems, rows)
    for key, value in conversion.metadata.items():
        console.print(f'{key}: {value}', soft_wrap=True)


def _print_table(
    console: Console,
    title: str,
    columns: tuple[str, ...],
    rows: list[tuple[str, ...]],
    limit: int,
) -> None:
    if not rows:
        console.print(title)
        return
    table = Table(*columns, title=title, title_justify='left')
    for row in rows[: limit or None]:
        table.add_row(*row)
    if 0 < limit < len(rows):
        table.add_row(f'... and {len(rows) - limit} more')
    console.print(table)


if __name__ == '__main__':
    main()
