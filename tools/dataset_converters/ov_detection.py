"""Writes the derived annotation files of OV-COCO and OV-LVIS from the official ones.

Training and testing with openvocab read the official files; the derived ones are for
other tools and for comparison. Each table row says whether the number of images equals
the published one.
"""

import argparse
from pathlib import Path

from rich.console import Console
from rich.progress import Progress
from rich.table import Table

from openvocab.datasets.detection_split import DERIVATIONS, Derivation, write_json

ANNOTATIONS = {
    'ov_coco': Path('data/coco/annotations'),
    'ov_lvis': Path('data/lvis_v1/annotations'),
}
EXAMPLES = """examples:
  python tools/dataset_converters/ov_detection.py ov_coco
  python tools/dataset_converters/ov_detection.py ov_coco --out data/coco/zero-shot
  python tools/dataset_converters/ov_detection.py ov_lvis --annotations ~/lvis

official files:
  ov_coco   instances_train2017.json, instances_val2017.json
  ov_lvis   lvis_v1_train.json (validation uses the official file)
"""


def parse_args() -> argparse.Namespace:
    """Reads the command line."""
    parser = argparse.ArgumentParser(
        description=__doc__,
        epilog=EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument('benchmark', choices=sorted(DERIVATIONS))
    parser.add_argument(
        '--annotations',
        type=Path,
        help='folder of the official files (default: data/coco/annotations, '
        'data/lvis_v1/annotations)',
    )
    parser.add_argument(
        '--out', type=Path, help='folder of the derived files (default: ANNOTATIONS)'
    )
    return parser.parse_args()


def verdict(images: int, derivation: Derivation) -> str:
    """Says how the number of images compares with the published one."""
    published = derivation.published_images
    if images == published:
        return f'equal to the published {published:,}'
    return f'DIFFERENT from the published {published:,}'


def main() -> None:
    """Writes every derived file of the benchmark and prints the counts."""
    args = parse_args()
    folder = args.annotations or ANNOTATIONS[args.benchmark]
    out = args.out or folder
    console = Console()
    sources = [
        folder / derivation.official for derivation in DERIVATIONS[args.benchmark]
    ]
    for path in sources:
        if not path.is_file():
            raise SystemExit(f'annotation file not found: {path} (set --annotations)')
    table = Table(title=f'{args.benchmark} in {out}')
    for column in ('file', 'images', 'annotations', 'categories', 'images are'):
        table.add_column(column, overflow='fold')
    checksums = []
    with Progress(console=console) as progress:
        for path, derivation in zip(sources, DERIVATIONS[args.benchmark], strict=True):
            # Unknown length while the json is parsed: a moving bar.
            task = progress.add_task(f'reading {path.name}', total=None)
            try:
                content = derivation.apply(path)
            except ValueError as error:
                raise SystemExit(str(error)) from None
            progress.update(task, description=f'writing {derivation.derived}')

            def show(done: int, total: int, task: int = task) -> None:
                progress.update(task, completed=done, total=total)

            digest = write_json(out / derivation.derived, content, show)
            images = len(content['images'])
            table.add_row(
                derivation.derived,
                f'{images:,}',
                f'{len(content["annotations"]):,}',
                f'{len(content["categories"]):,}',
                verdict(images, derivation),
            )
            checksums.append(f'{digest}  {out / derivation.derived}')
    console.print(table)
    # as `sha256sum` writes them, one line each however narrow the terminal is
    console.print('sha256:', *checksums, sep='\n', soft_wrap=True, highlight=False)


if __name__ == '__main__':
    main()
