"""Finds objects of any classes in an image or in the images of a folder.

Writes one picture per image and results.json (names, scores, boxes as x1, y1, x2, y2 in
pixels of the image) into the folder OUT.
"""

import argparse
import json
import sys
from pathlib import Path

import cv2
import torch
from mmengine.config import DictAction
from mmengine.logging import MMLogger
from rich.console import Console
from rich.progress import track
from rich.table import Table

import openvocab  # noqa: F401  (before a config is read: enables 'openvocab::' bases)
from openvocab.apis import build_detector, detect, detection_records
from openvocab.datasets.unlabeled_image import IMAGE_SUFFIXES
from openvocab.fileio import write_atomically
from openvocab.visualization import draw_detections
from openvocab.vocab import Vocabulary

_EPILOG = """\
examples:
  python tools/demo/detect_image.py street.jpg configs/fvit/NAME.py epoch_3.pth \\
      --classes 'fire hydrant' 'park bench' dog --novel 'fire hydrant'
  python tools/demo/detect_image.py FOLDER configs/fvit/NAME.py epoch_3.pth \\
      --vocabulary lvis_v1 --score-thr 0.2
"""


def parse_args(argv: list[str] | None = None) -> argparse.Namespace:
    """Reads the command line."""
    parser = argparse.ArgumentParser(
        description=__doc__,
        epilog=_EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    add = parser.add_argument
    add('image', help='an image, or a folder of images')
    add('config', help='config of a detector (configs/<method>/*.py)')
    add(
        'checkpoint',
        nargs='?',
        help='checkpoint written by tools/train.py; without one, all but the encoder '
        'is untrained',
    )
    classes = parser.add_mutually_exclusive_group()
    classes.add_argument(
        '--classes',
        nargs='+',
        metavar='NAME',
        help="what to look for (default: the config's classes)",
    )
    classes.add_argument(
        '--vocabulary',
        metavar='NAME',
        help='or a packaged vocabulary (coco_80, lvis_v1, ...), or a json file of one',
    )
    add(
        '--novel',
        nargs='+',
        metavar='NAME',
        help='classes without training boxes (default: those that the detector was '
        'not trained on)',
    )
    add('--score-thr', type=float, default=0.3, help='least score (%(default)s)')
    add('--out', default='work_dirs/detect_image', help='folder (%(default)s)')
    add(
        '--device',
        default='cuda' if torch.cuda.is_available() else 'cpu',
        help='device of the model (%(default)s)',
    )
    add(
        '--cfg-options',
        nargs='+',
        action=DictAction,
        metavar='KEY=VALUE',
        help='change entries of the config',
    )
    args = parser.parse_args(argv)
    if args.novel and not (args.classes or args.vocabulary):
        parser.error('--novel needs --classes or --vocabulary')
    return args


def main(argv: list[str] | None = None) -> None:
    """Builds the detector, runs it and writes."""
    args = parse_args(argv)
    console = Console()
    # init_weights would list every parameter on the console.
    MMLogger.get_current_instance().setLevel('WARNING')
    try:
        files = find_images(Path(args.image))
        with console.status('building the detector'):
            model = build(args)
        results = [
            detect_file(model, file, Path(args.out) / 'pictures', args.score_thr)
            for file in track(files, 'detecting', console=console)
        ]
    except (AssertionError, OSError, LookupError, ValueError) as error:
        sys.exit(f'detect_image: {error}')
    content = dict(
        config=args.config,
        checkpoint=args.checkpoint,
        classes=list(model.dataset_meta['classes']),
        score_thr=args.score_thr,
        images=results,
    )
    write_atomically(
        Path(args.out) / 'results.json', json.dumps(content, indent=1).encode()
    )
    console.print(summary(results))
    console.print(f'written to {args.out}', highlight=False)


def find_images(path: Path) -> list[Path]:
    """The image itself, or the images of a folder in the order of their names."""
    if not path.is_dir():
        return [path]
    files = [file for file in path.iterdir() if file.suffix.lower() in IMAGE_SUFFIXES]
    if not files:
        raise FileNotFoundError(f'no images ({", ".join(IMAGE_SUFFIXES)}) in {path}')
    return sorted(files)


def build(args: argparse.Namespace) -> torch.nn.Module:
    """Builds the detector with the classes of the command line."""
    model = build_detector(args.config, args.checkpoint, args.device, args.cfg_options)
    if args.classes or args.vocabulary:
        vocabulary = Vocabulary.load(args.classes or args.vocabulary)
        if not hasattr(model, 'set_vocabulary'):
            raise ValueError(f'the classes of a {type(model).__name__} are fixed')
        novel = dict(novel=args.novel) if args.novel else {}
        model.set_vocabulary(vocabulary, **novel)
    return model


def detect_file(
    model: torch.nn.Module, file: Path, folder: Path, score_thr: float
) -> dict:
    """Detects in one image and draws it; returns its entry of results.json."""
    (sample,) = detect(model, file)
    image = cv2.imread(str(file))
    folder.mkdir(parents=True, exist_ok=True)
    picture = draw_detections(image, sample, model.dataset_meta, score_thr)
    if not cv2.imwrite(str(folder / file.name), picture):
        raise OSError(f'cannot write {folder / file.name}')
    height, width = sample.ori_shape
    detections = detection_records(sample, score_thr)
    return dict(file=str(file), height=height, width=width, detections=detections)


def summary(results: list[dict]) -> Table:
    """One row per class that was found, most frequent first."""
    found: dict[str, list[float]] = {}
    for result in results:
        for record in result['detections']:
            found.setdefault(record['name'], []).append(record['score'])
    table = Table(title=f'{len(results)} image(s)')
    table.add_column('class')
    for column in ('found', 'best score'):
        table.add_column(column, justify='right')
    for name, scores in sorted(found.items(), key=lambda item: -len(item[1])):
        table.add_row(name, str(len(scores)), f'{max(scores):.2f}')
    if not found:
        table.add_row('nothing', '0', '-')
    return table


if __name__ == '__main__':
    main()
