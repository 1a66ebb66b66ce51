"""Prepares the label maps of segmentation benchmarks from the official archives.

Prints, per part, the number of images beside the published one, how many classes occur
and which share of the pixels has none. A value that no class has is an error, never a
wrapped or ignored label. Files are written whole or not at all; running again replaces
them.
"""

import argparse
import os
from pathlib import Path

from rich.console import Console
from rich.progress import MofNCompleteColumn, Progress
from rich.table import Table

from openvocab.datasets.segmentation.conversion import convert_labels
from openvocab.datasets.segmentation.count_table import class_table, summary_row
from openvocab.datasets.segmentation.preparations import PREPARATIONS
from openvocab.vocab import Vocabulary


def epilog() -> str:
    """What every benchmark reads and writes."""
    lines = ['benchmarks (reads; writes, both below ROOT):']
    for name, preparation in PREPARATIONS.items():
        lines += [
            f'  {name}   (ROOT: {preparation.root})',
            f'      {preparation.needs}',
            f'      {preparation.writes}',
        ]
    lines += [
        '',
        'ADE20K-150, Pascal VOC (20, 20b, 21) and Cityscapes need no preparation.',
        '',
        'examples:',
        '  python tools/dataset_converters/segmentation.py coco-stuff data/coco',
        '  python tools/dataset_converters/segmentation.py pascal-context '
        'data/VOCdevkit/VOC2010 --dry-run --classes',
    ]
    return '\n'.join(lines)


def parse_args() -> argparse.Namespace:
    """Reads the command line."""
    parser = argparse.ArgumentParser(
        description=__doc__,
        epilog=epilog(),
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument('benchmark', choices=sorted(PREPARATIONS))
    parser.add_argument(
        'root', type=Path, nargs='?', help='folder of the unpacked archives'
    )
    parser.add_argument('--out', type=Path, help='output folder (default: ROOT)')
    parser.add_argument(
        '--workers',
        type=int,
        default=min(8, os.cpu_count() or 1),
        help='processes (default: %(default)s); 0 works in this one',
    )
    parser.add_argument(
        '--dry-run', action='store_true', help='read, check and count; write nothing'
    )
    parser.add_argument(
        '--classes', action='store_true', help='also print the counts of every class'
    )
    return parser.parse_args()


def verdict(images: int, published: int) -> str:
    """Says how the number of images compares with the published one."""
    if images == published:
        return f'equal to the published {published:,}'
    return f'DIFFERENT from the published {published:,}'


def main() -> None:
    """Prepares every part whose archive is there and prints the counts."""
    args = parse_args()
    preparation = PREPARATIONS[args.benchmark]
    root = args.root or Path(preparation.root)
    console = Console()
    try:
        parts = preparation.parts(root, args.out or root)
    except ValueError as error:
        raise SystemExit(str(error)) from None
    parts = [part for part in parts if part.conversions]
    if not parts:
        raise SystemExit(f'nothing to prepare: {root} has no {preparation.needs}')
    summary = Table(title=f'{args.benchmark} in {args.out or root}')
    for column in ('part', 'images', 'images are', 'classes', 'without class'):
        summary.add_column(column, justify='right')
    counted = []
    columns = (*Progress.get_default_columns(), MofNCompleteColumn())
    with Progress(*columns, console=console) as progress:
        for part in parts:
            task = progress.add_task(part.name, total=len(part.conversions))
            counts = part.empty_counts()
            try:
                convert_labels(
                    part.conversions,
                    counts,
                    args.dry_run,
                    args.workers,
                    lambda done, task=task: progress.update(task, completed=done),
                )
            except (ValueError, FileNotFoundError) as error:
                raise SystemExit(str(error)) from None
            if not args.dry_run:
                part.write_list()
            counted.append(counts)
            summary.add_row(
                part.name,
                f'{counts.images:,}',
                verdict(counts.images, part.published_images),
                *summary_row(counts),
            )
    if args.classes:
        for part, counts in zip(parts, counted, strict=True):
            names = Vocabulary.load(part.vocabulary).names
            title = f'{part.name}: {part.vocabulary}'
            console.print(class_table(title, names, counts))
    console.print(summary)


if __name__ == '__main__':
    main()
