"""Draws OV-Shapes: images, COCO / panoptic / semantic annotation, caption views."""

import argparse
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.progress import Progress
from rich.table import Table

from openvocab.datasets.caption_views import write_caption_views
from openvocab.datasets.ov_shapes.views import ViewStatistics
from openvocab.datasets.ov_shapes.world import World
from openvocab.datasets.ov_shapes.writer import write_ov_shapes
from openvocab.engine.argument_types import non_negative_int, positive_int
from openvocab.engine.user_errors import user_errors


def parse_args(argv: list[str] | None = None) -> argparse.Namespace:
    """Reads the command line."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.ArgumentDefaultsHelpFormatter
    )
    add = parser.add_argument
    add('--out', type=Path, default=Path('data/ov_shapes'), help='folder')
    add('--train', type=positive_int, default=3000, help='training images')
    add('--val', type=positive_int, default=500, help='validation images')
    add('--size', type=positive_int, default=128, help='side in pixels, from 32 on')
    add('--seed', type=non_negative_int, default=0, help='of all that is drawn')
    add(
        '--caption-views',
        type=positive_int,
        metavar='N',
        help='also draw N image-caption pairs into OUT/VIEWS_DIR (12 kB each), which '
        'only the pre-training of the tiny VLMs needs',
    )
    add(
        '--thing-share',
        type=float,
        default=ViewStatistics.thing_share,
        help='share of the views that are framed around one thing',
    )
    add(
        '--stuff-share',
        type=float,
        default=ViewStatistics.stuff_share,
        help='share of the views that show ground alone',
    )
    add('--views-dir', default='views', help='folder of the views below OUT')
    return parser.parse_args(argv)


def main(argv: list[str] | None = None) -> None:
    """Draws what is missing and prints the counts."""
    args = parse_args(argv)
    console = Console()
    with user_errors('ov_shapes'):
        record = draw(args, console)
    table = Table(title=f'OV-Shapes in {args.out}')
    for column in ('split', 'images', 'things', 'stuff'):
        table.add_column(column, justify='right')
    for split, counts in record['written'].items():
        table.add_row(split, *(f'{counts[k]:,}' for k in ('images', 'things', 'stuff')))
    console.print(table)


def draw(args: argparse.Namespace, console: Console) -> dict[str, Any]:
    """Draws what is missing; returns what stands in ``world.json``."""
    world = World(size=args.size)
    with Progress(console=console) as progress:
        tasks: dict[str, int] = {}

        def show(what: str, done: int, total: int) -> None:
            if what not in tasks:
                tasks[what] = progress.add_task(f'OV-Shapes {what}', total=total)
            progress.update(tasks[what], completed=done)

        counts = {'train': args.train, 'val': args.val}
        record = write_ov_shapes(args.out, counts, world, args.seed, show)
        if args.caption_views:
            write_caption_views(
                args.out / args.views_dir,
                args.caption_views,
                args.seed,
                world,
                ViewStatistics(
                    thing_share=args.thing_share, stuff_share=args.stuff_share
                ),
                progress=lambda done, total: show('views', done, total),
            )
    return record


if __name__ == '__main__':
    main()
