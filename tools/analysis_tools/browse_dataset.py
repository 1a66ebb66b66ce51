"""Draws what a config's data set gives to the model, one picture per image."""

import argparse
from pathlib import Path

from mmengine.config import Config
from mmengine.dataset import BaseDataset
from mmengine.registry import DATASETS, init_default_scope
from rich.console import Console
from rich.progress import track

import openvocab  # noqa: F401
from openvocab.analysis.synthetic_images import innermost
from openvocab.datasets.seeded_sampler import SeededIndex
from openvocab.engine.argument_types import positive_int
from openvocab.engine.user_errors import user_errors
from openvocab.visualization import write_picture
from openvocab.visualization.packed import draw_packed


def parse_args(argv: list[str] | None = None) -> argparse.Namespace:
    """Reads the command line."""
    parser = argparse.ArgumentParser(
        description='Draw the images of a data set after the whole pipeline: '
        'regions, boxes and masks, or label maps, with class name, thing or stuff and '
        'split, and the crops where the pipeline cuts any. Regions without labels are '
        'numbered.',
        epilog='example: browse_dataset.py CONFIG --split val --number 8 --out DIR',
    )
    parser.add_argument('config', help='path of a config')
    parser.add_argument(
        '--split',
        choices=('train', 'val', 'test'),
        default='train',
        help='which data loader of the config (default: train)',
    )
    parser.add_argument(
        '--number', type=positive_int, default=20, help='images to draw (default: 20)'
    )
    parser.add_argument(
        '--start', type=int, default=0, help='index of the first one (default: 0)'
    )
    parser.add_argument(
        '--width',
        type=positive_int,
        default=800,
        help='pixels of a picture (default: 800)',
    )
    parser.add_argument(
        '--vocab',
        metavar='NAME',
        help='label by this vocabulary instead: packaged, or a json file; its splits '
        'stand behind the names',
    )
    parser.add_argument(
        '--out',
        default='work_dirs/browse_dataset',
        help='folder for the png files (default: %(default)s)',
    )
    return parser.parse_args(argv)


def main(argv: list[str] | None = None) -> None:
    """Builds the data set and draws."""
    args = parse_args(argv)
    with user_errors('browse_dataset'):
        cfg = Config.fromfile(args.config)
        init_default_scope(cfg.get('default_scope') or 'mmengine')
        loader = cfg.get(f'{args.split}_dataloader')
        if loader is None:
            raise ValueError(f'{args.config} has no {args.split}_dataloader')
        if args.vocab:
            innermost(loader.dataset)['vocabulary'] = args.vocab
        dataset = DATASETS.build(loader.dataset)
        files = draw(dataset, args)
    Console().print(f'{len(files)} pictures in {args.out}', highlight=False)


def draw(dataset: BaseDataset, args: argparse.Namespace) -> list[Path]:
    """Writes the pictures and returns their paths."""
    folder = Path(args.out)
    if not 0 <= args.start < len(dataset):
        raise ValueError(f'--start {args.start}: there are {len(dataset)} images')
    files = []
    stop = min(len(dataset), args.start + args.number)
    for index in track(range(args.start, stop), 'drawing'):
        # a fixed augmentation for pipelines with SeedAugmentation; an int to the others
        item = dataset[SeededIndex(index, seed=index)]
        sample = item['data_samples']
        picture = draw_packed(item['inputs'], sample, dataset.metainfo, args.width)
        stem = Path(sample.get('img_path', '')).stem
        files.append(folder / f'{index:06d}_{stem}.png')
        write_picture(files[-1], picture)
    return files


if __name__ == '__main__':
    main()
