"""Checks the label maps of a segmentation config and counts their classes."""

import argparse
from pathlib import Path

import cv2
import numpy as np
from mmengine.config import Config
from mmengine.dataset import BaseDataset
from mmengine.registry import DATASETS, init_default_scope
from mmseg.datasets import BaseSegDataset
from rich.console import Console
from rich.progress import track
from rich.table import Table

import openvocab  # noqa: F401
from openvocab.datasets.segmentation.count_table import class_table, summary_row
from openvocab.datasets.segmentation.label_counts import LabelCounts
from openvocab.engine.user_errors import user_errors

PIPELINE = [
    dict(type='mmcv.LoadImageFromFile'),
    dict(type='openvocab.LoadOVAnnotations'),
]


def parse_args(argv: list[str] | None = None) -> argparse.Namespace:
    """Reads the command line."""
    parser = argparse.ArgumentParser(
        description='Read every image and label map of a data set, without its '
        'pipeline. An image or label map that is missing or corrupt, sizes that '
        'differ, and values that are no class end it with the name of the file.',
        epilog='example: label_statistics.py configs/_base_/datasets/'
        'a847_segmentation.py --classes',
    )
    parser.add_argument('config', help='path of a config')
    parser.add_argument(
        '--split',
        choices=('train', 'val', 'test'),
        default='test',
        help='which data loader of the config (default: %(default)s)',
    )
    parser.add_argument(
        '--classes', action='store_true', help='also print the counts of every class'
    )
    return parser.parse_args(argv)


def read_labels(dataset: BaseDataset, index: int) -> np.ndarray:
    """Reads an image and its label map; returns the latter, (H, W)."""
    try:
        return dataset[index]['gt_seg_map']
    except (AssertionError, cv2.error):
        path = dataset.get_data_info(index)['img_path']
        raise ValueError(f'{path} is not a readable image') from None


def main(argv: list[str] | None = None) -> None:
    """Counts and prints."""
    args = parse_args(argv)
    console = Console()
    with user_errors('label_statistics'):
        cfg = Config.fromfile(args.config)
        init_default_scope('mmseg')
        loader = cfg.get(f'{args.split}_dataloader')
        if loader is None:
            raise ValueError(f'{args.config} has no {args.split}_dataloader')
        loader.dataset.pipeline = PIPELINE
        dataset = DATASETS.build(loader.dataset)
        if not isinstance(dataset, BaseSegDataset):
            raise ValueError(
                f'{args.config}: {type(dataset).__name__} has no label maps'
            )
        names = dataset.metainfo['classes']
        counts = LabelCounts(len(names), dataset.ignore_index)
        for index in track(range(len(dataset)), 'Label maps', console=console):
            counts.add(np.bincount(read_labels(dataset, index).reshape(-1)))
    title = f'{Path(args.config).stem}, {args.split}'
    if args.classes:
        console.print(class_table(title, names, counts))
    table = Table(title=title)
    for column in ('images', 'classes', 'without class'):
        table.add_column(column, justify='right')
    table.add_row(f'{counts.images:,}', *summary_row(counts))
    console.print(table)


if __name__ == '__main__':
    main()
