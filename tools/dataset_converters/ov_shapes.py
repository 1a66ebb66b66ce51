"""Draws OV-Shapes: images, COCO / panoptic / semantic annotation, caption views."""

import argparse
from pathlib import Path

from rich.console import Console
from rich.progress import Progress
from rich.table import Table

from openvocab.datasets.caption_views import write_caption_views
from openvocab.datasets.ov_shapes.views import ViewStatistics
from openvocab.datasets.ov_shapes.world import World
from openvocab.datasets.ov_shapes.writer import write_ov_shapes


def parse_args() -> argparse.Namespace:
    """Reads the command line."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.ArgumentDefaultsHelpFormatter
    )
    parser.add_argument('--out', type=Path, default=Path('data/ov_shapes'))
    parser.add_argument('--train', type=int, default=3000, help='training images')
    parser.add_argument('--val', type=int, default=500, help='validation images')
    parser.add_argument('--size', type=int, default=128, help='side in pixels')
    parser.add_argument('--seed', type=int, default=0)
    parser.add_argument(
        '--caption-views',
        type=int,
        default=0,
        metavar='N',
        help='also draw N image-caption pairs into OUT/VIEWS_DIR (12 kB each), which '
        'only the pre-training of the tiny VLMs needs',
    )
    parser.add_argument(
        '--thing-share',
        type=float,
        default=ViewStatistics.thing_share,
        help='share of the views that are framed around one thing',
    )
    parser.add_argument(
        '--stuff-share',
        type=float,
        default=ViewStatistics.stuff_share,
        help='share of the views that show ground alone',
    )
    parser.add_argument(
        '--views-dir', default='views', help='folder of the views below OUT'
    )
    return parser.parse_args()


def main() -> None:
    """Draws what is missing and prints the counts."""
    args = parse_args()
    console = Console()
    world = World(size=args.size)
    with Progress(console=console) as progress:
        tasks: dict[str, int] = {}

        def show(what: str, done: int, total: int) -> None:
            if what not in tasks:
                tasks[what] = progress.add_task(f'OV-Shapes {what}', total=total)
            progress.update(tasks[what], completed=done)

        record = write_ov_shapes(
            args.out,
            {'train': args.train, 'val': args.val},
            world,
            args.seed,
            show,
        )
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
    table = Table(title=f'OV-Shapes in {args.out}')
    for column in ('split', 'images', 'things', 'stuff'):
        table.add_column(column, justify='right')
    for split, counts in record['written'].items():
        table.add_row(split, *(f'{counts[k]:,}' for k in ('images', 'things', 'stuff')))
    console.print(table)


if __name__ == '__main__':
    main()
