"""Shows which regions an encoder takes for which: a picture and a table by group.

Runs the test of a region-recognition config. The table says, in percent of the regions
of a group (things and stuff, base and novel), how many are named by a class of each
group; the picture is the matrix of all classes.
"""

import argparse
from pathlib import Path

import numpy as np
from rich.console import Console
from rich.table import Table

import openvocab  # noqa: F401  (before a config is read: enables 'openvocab::' bases)
from openvocab.engine import launch
from openvocab.engine.argument_types import (
    checkpoint_file,
    existing_file,
    figure_file,
)
from openvocab.engine.arguments import add_run_arguments
from openvocab.engine.runner import StrictRunner
from openvocab.engine.user_errors import user_errors
from openvocab.evaluation.region_confusion import RegionConfusion, group_confusion
from openvocab.visualization.figure_file import headless_pyplot, write_figure


def build_parser() -> argparse.ArgumentParser:
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument('config', type=existing_file, help='a config of configs/clip')
    parser.add_argument(
        'checkpoint',
        nargs='?',
        type=checkpoint_file,
        help='checkpoint written by tools/train.py; an exported encoder is named by '
        '--cfg-options model.backbone.init_cfg...',
    )
    parser.add_argument(
        '--kind',
        choices=['masks', 'boxes', 'crops'],
        default='masks',
        help='what regions are read through (default: masks)',
    )
    parser.add_argument(
        '--out',
        type=figure_file,
        metavar='FILE',
        help='the picture (default: WORK_DIR/confusion.png)',
    )
    add_run_arguments(parser)
    return parser


def main(argv: list[str] | None = None) -> None:
    """Tests, shows and draws."""
    args = build_parser().parse_args(argv)
    console = Console()
    with user_errors('region_confusion'):
        metric, work_dir = measure(args)
        meta = metric.dataset_meta
        splits = meta.get('splits') or [None] * len(meta['classes'])
        groups = [
            ' '.join(filter(None, (split, 'thing' if thing else 'stuff')))
            for thing, split in zip(meta['is_thing'], splits, strict=True)
        ]
        console.print(group_table(*group_confusion(metric.matrix, groups)))
        out = Path(args.out or Path(work_dir) / 'confusion.png')
        draw_matrix(metric.matrix, groups, meta['classes'], out)
    console.print(f'written to {out}', highlight=False)


def measure(args: argparse.Namespace) -> tuple[RegionConfusion, str]:
    """Runs the test; returns the metric, which holds the matrix, and the work dir."""
    cfg = launch.load_run(args)
    if cfg.get('test_evaluator', {}).get('type') != 'openvocab.RegionAccuracy':
        raise ValueError(f'{args.config} does not test regions (configs/clip do)')
    launch.check_weight_files(cfg)
    cfg.load_from = args.checkpoint
    cfg.test_evaluator.update(type='openvocab.RegionConfusion', kind=args.kind)
    runner = StrictRunner.from_cfg(cfg)
    # as tools/test.py does: frozen encoders are in no checkpoint
    runner._init_model_weights()
    runner.test()
    return runner.test_loop.evaluator.metrics[0], cfg.work_dir


def group_table(names: list[str], shares: np.ndarray) -> Table:
    """Rows are the true groups, columns what they are taken for."""
    table = Table()
    table.add_column('regions of')
    for name in names:
        table.add_column(f'as {name}', justify='right')
    for name, row in zip(names, shares, strict=True):
        cells = ('-' if np.isnan(share) else f'{share:.1f} %' for share in row)
        table.add_row(name, *cells)
    return table


def draw_matrix(
    matrix: np.ndarray, groups: list[str], classes: list[str], path: Path
) -> None:
    """Draws the share of each class that is named by each, groups together."""
    pyplot = headless_pyplot()
    names = list(dict.fromkeys(groups))
    order = sorted(range(len(groups)), key=lambda label: names.index(groups[label]))
    ordered = matrix[np.ix_(order, order)].astype(float)
    ordered /= np.maximum(ordered.sum(axis=1, keepdims=True), 1)
    side = min(4 + 0.16 * len(order), 30)
    figure, axis = pyplot.subplots(figsize=(side, side), layout='constrained')
    image = axis.imshow(ordered, cmap='Blues', vmin=0, vmax=1)
    figure.colorbar(image, ax=axis, shrink=0.6, label='share of the regions')
    axis.set(xlabel='named', ylabel='true')
    if len(order) <= 200:
        labels = [classes[label] for label in order]
        axis.set_xticks(range(len(order)), labels, rotation=90, fontsize=6)
        axis.set_yticks(range(len(order)), labels, fontsize=6)
    ends = np.cumsum([groups.count(name) for name in names])[:-1] - 0.5
    for end in ends:
        axis.axhline(end, color='grey', linewidth=0.8)
        axis.axvline(end, color='grey', linewidth=0.8)
    write_figure(path, figure)


if __name__ == '__main__':
    main()
