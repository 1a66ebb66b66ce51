"""Finds any classes in an image or in the images of a folder.

A config of a detector gives boxes (and masks, with a mask head), one of a segmentor
gives label maps. The folder OUT gets vis/NAME, the annotated picture, and
preds/NAME.json: names, scores, boxes (x1, y1, x2, y2) in pixels of the image, masks in
COCO's RLE.
"""

import argparse

from mmengine.logging import MMLogger
from rich.console import Console
from rich.table import Table

import openvocab  # noqa: F401  (before a config is read: enables 'openvocab::' bases)
from openvocab.apis import open_inferencer, split_names
from openvocab.engine.argument_types import positive_int
from openvocab.engine.arguments import add_cfg_options, add_classes, add_device
from openvocab.engine.user_errors import user_errors

_EPILOG = """\
examples:
  python tools/demo/image_demo.py street.jpg work_dirs/NAME/NAME.py \\
      work_dirs/NAME/epoch_3.pth --texts 'fire hydrant, park bench, dog'
  python tools/demo/image_demo.py street.jpg configs/cat_seg/NAME.py iter_80000.pth \\
      --texts 'road, sky, car'
  python tools/demo/image_demo.py FOLDER configs/fvit/NAME.py epoch_3.pth \\
      --vocab lvis_v1 --score-thr 0.2 --batch-size 4

Training writes its config into its work directory, with the --cfg-options it was given:
that is the one to name here. Packaged vocabularies: openvocab/vocab/classes.
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
    add(
        'config', help='config of a detector or a segmentor, or the name of one of ours'
    )
    add(
        'checkpoint',
        nargs='?',
        help='checkpoint written by tools/train.py; without one, all but the encoder '
        'is untrained (training-free segmentors need none)',
    )
    add_classes(parser)
    add(
        '--novel',
        metavar='NAMES',
        help='classes without boxes in training (detectors; default: those that the '
        'detector was not trained on)',
    )
    add(
        '--score-thr',
        type=float,
        metavar='SCORE',
        help='least score of a detection (default 0.3) or of a pixel (default: any)',
    )
    add(
        '--batch-size',
        type=positive_int,
        default=1,
        help='images at a time (%(default)s)',
    )
    add('--out', default='work_dirs/image_demo', help='folder (%(default)s)')
    add_device(parser)
    add_cfg_options(parser)
    args = parser.parse_args(argv)
    if args.novel and args.texts is None and args.vocab is None:
        parser.error('--novel needs --texts or --vocab')
    return args


def main(argv: list[str] | None = None) -> None:
    """Builds the model, runs it and writes."""
    args = parse_args(argv)
    console = Console()
    # init_weights would list every parameter on the console.
    MMLogger.get_current_instance().setLevel('WARNING')
    with user_errors('image_demo'):
        with console.status('building the model'):
            inferencer = open_inferencer(
                args.config, args.checkpoint, args.device, args.cfg_options
            )
        results = inferencer(
            args.image,
            texts=args.texts,
            vocab=args.vocab,
            novel=split_names(args.novel) if args.novel else None,
            batch_size=args.batch_size,
            pred_score_thr=args.score_thr,
            out_dir=args.out,
        )
    console.print(summary(results['predictions']))
    console.print(f'written to {args.out}', highlight=False)


def summary(results: list[dict]) -> Table:
    """One row per class that was found, most frequent first."""
    found: dict[str, list[float]] = {}
    for result in results:
        for name, score in zip(result['label_names'], result['scores'], strict=True):
            found.setdefault(name, []).append(score)
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
