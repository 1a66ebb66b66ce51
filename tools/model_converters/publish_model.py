"""Makes a file to hand on from a training checkpoint: weights, no optimizer, no logs.

python tools/model_converters/publish_model.py \
    configs/fvit/fvit_eva02-b16-densevlm_8xb8-3e_ov-coco.py \
    work_dirs/fvit_eva02-b16-densevlm_8xb8-3e_ov-coco/epoch_3.pth published

The result is NAME_DATE-SHA8.pth; tools/test.py and build_model take it as they take any
checkpoint of the config.
"""

import argparse
import logging

from mmengine.logging import MMLogger
from rich.console import Console
from rich.table import Table

from openvocab.apis.publish import SUFFIXES, Published, publish
from openvocab.engine.user_errors import user_errors


def main() -> None:
    """Reads the command line, writes the file, says what is in it."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument('config', help='config that was trained')
    parser.add_argument(
        'checkpoint', help='what tools/train.py or to_openvocab.py wrote'
    )
    parser.add_argument('folder', metavar='DIR', help='the file goes here')
    parser.add_argument('--name', help="by default the config's")
    parser.add_argument('--suffix', choices=SUFFIXES, default=SUFFIXES[0])
    parser.add_argument(
        '--keep-encoder',
        action='store_true',
        help='leave a frozen encoder in the file even if the config loads the same one',
    )
    args = parser.parse_args()
    # building a model lists every parameter
    MMLogger.get_current_instance().setLevel(logging.WARNING)
    with user_errors('publish_model'):
        published = publish(
            args.config,
            args.checkpoint,
            args.folder,
            args.name,
            args.suffix,
            args.keep_encoder,
        )
    report(published, Console(highlight=False, markup=False))


def report(published: Published, console: Console) -> None:
    """Prints what was written.

    Args:
        published: The file.
        console: Where it is printed.
    """
    table = Table('left out', 'MB', title_justify='left')
    for part, size in published.dropped.items():
        table.add_row(part, f'{size / 1e6:.1f}')
    if published.dropped:
        console.print(table)
    console.print(f'encoder: {published.encoder}', soft_wrap=True)
    size = published.path.stat().st_size / 1e6
    console.print(f'{published.parameters / 1e6:.2f} M numbers, {size:.1f} MB')
    console.print(f'{published.path}  sha256 {published.sha256}', soft_wrap=True)


if __name__ == '__main__':
    main()
