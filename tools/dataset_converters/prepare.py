"""Prepares data sets from their official archives, and checks prepared ones.

Prepares: unpacks the archives (with --archives), writes what configs need beyond the
released files, and prints the counts beside the published ones. What is done already is
kept, files are written whole or not at all, so that it can be stopped and run again at
any time. A value or category that no class has is an error, never a wrapped or ignored
label.

Checks (--check): that the files which the configs read are there, whole, of the right
sizes, with labels and categories of the vocabulary. A line per problem, and exit status
1 if there are any.
"""

import argparse
import os
import sys
from collections.abc import Iterable, Iterator
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager
from itertools import islice
from pathlib import Path

from rich.console import Console
from rich.progress import MofNCompleteColumn, Progress
from rich.table import Table

from openvocab.datasets.preparation.label_maps import ClassSummary
from openvocab.datasets.preparation.part import Part, Summary
from openvocab.datasets.preparation.preparation import Preparation
from openvocab.datasets.preparation.preparations import PREPARATIONS
from openvocab.datasets.preparation.run import Run
from openvocab.engine.user_errors import one_line
from openvocab.vocab import Vocabulary


def epilog() -> str:
    """What every data set reads and writes."""
    lines = ['data sets (reads; writes, both below ROOT; archives it unpacks):']
    for name, preparation in PREPARATIONS.items():
        lines += [
            f'  {name}',
            f'      reads     {preparation.needs}',
            f'      writes    {preparation.writes or "nothing: read as released"}',
            '      archives  '
            + ', '.join(a.name for a in preparation.archives if a.inside is None),
        ]
        if preparation.by_hand:
            lines.append(f'      by hand   {preparation.by_hand}')
    lines += [
        '',
        'examples:',
        '  python tools/dataset_converters/prepare.py cityscapes --archives downloads',
        '  python tools/dataset_converters/prepare.py coco-stuff --parts val2017 '
        '--dry-run --classes',
        '  python tools/dataset_converters/prepare.py ov-coco cityscapes --check',
    ]
    return '\n'.join(lines)


def parse_args(argv: list[str] | None = None) -> argparse.Namespace:
    """Reads the command line."""
    parser = argparse.ArgumentParser(
        description=__doc__,
        epilog=epilog(),
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument('names', nargs='+', choices=list(PREPARATIONS), metavar='NAME')
    parser.add_argument(
        '--root', type=Path, default=Path('data'), help='data root (default: data)'
    )
    parser.add_argument(
        '--out',
        type=Path,
        help='data root below which the files are written (default: ROOT)',
    )
    parser.add_argument(
        '--archives',
        type=Path,
        metavar='FOLDER',
        help='unpack the archives of this folder into ROOT first',
    )
    parser.add_argument(
        '--parts',
        nargs='+',
        metavar='PART',
        help='only these parts, such as val2017 (default: those that are there; with '
        '--check all)',
    )
    parser.add_argument(
        '--check', action='store_true', help='write nothing, say what is wrong'
    )
    parser.add_argument(
        '--subset',
        action='store_true',
        help='the tree holds a part of the images on purpose: --check does not compare '
        'their number with the published one',
    )
    parser.add_argument(
        '--limit',
        type=int,
        default=50,
        help='problems shown per part, 0 for all (default: %(default)s)',
    )
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
    return parser.parse_args(argv)


@contextmanager
def progress_of(args: argparse.Namespace) -> Iterator[Run]:
    """A run that shows bars with the time that is left, on the error stream."""
    columns = (*Progress.get_default_columns(), MofNCompleteColumn())
    with Progress(*columns, console=Console(stderr=True)) as progress:
        tasks: dict[str, int] = {}

        def show(what: str, done: int, total: int | None) -> None:
            if what not in tasks:
                for task in progress.tasks:  # what was read is read
                    if task.total is None:
                        progress.update(task.id, completed=1, total=1)
                tasks[what] = progress.add_task(what, total=total)
            progress.update(tasks[what], completed=done, total=total)

        yield Run(args.workers, args.dry_run, args.subset, show)


def chosen_parts(name: str, args: argparse.Namespace) -> list[Part]:
    """The parts of a data set that the command line asks for."""
    parts = PREPARATIONS[name].parts(args.root, args.out or args.root)
    unknown = set(args.parts or ()).difference(part.name for part in parts)
    if unknown:
        raise ValueError(
            f'{name} has no part {", ".join(sorted(unknown))}; it has '
            f'{", ".join(part.name for part in parts)}'
        )
    return [part for part in parts if not args.parts or part.name in args.parts]


def unpack(
    preparation: Preparation, args: argparse.Namespace, run: Run
) -> Iterator[Summary]:
    """Unpacks those archives of a data set that are in the folder."""
    found = 0
    for archive in preparation.archives:
        if archive.path(args.archives, args.root).is_file():
            found += 1
            yield archive.unpack(args.archives, args.root, run)
    if not found:
        names = ', '.join(archive.name for archive in preparation.archives)
        raise FileNotFoundError(f'{args.archives}: holds none of {names}')


def prepare(name: str, args: argparse.Namespace, console: Console) -> None:
    """Prepares a data set and prints the counts."""
    rows: list[Summary] = []
    skipped = []
    with progress_of(args) as run:
        unpacked = []
        if args.archives is not None:
            unpacked = list(unpack(PREPARATIONS[name], args, run))
        for part in chosen_parts(name, args):
            missing = part.missing()
            if missing:
                skipped.append(f'{part.name} left out: {missing[0]} not found')
                continue
            new = part.prepare(run)
            rows += new
            if not new:
                where = part.sources()[0]
                skipped.append(f'{part.name} left out: nothing in {where}')
    for line in skipped:
        console.print(line, soft_wrap=True, markup=False, highlight=False)
    if not rows:
        raise FileNotFoundError(
            f'{name}: nothing to prepare; below {args.root} it needs '
            f'{PREPARATIONS[name].needs}'
        )
    if args.classes:
        for row in rows:
            if isinstance(row, ClassSummary):
                names = Vocabulary.load(row.vocabulary).names
                console.print(row.class_table(names))
    console.print(table(f'{name} in {args.out or args.root}', unpacked, rows))
    notes = [row.note for row in rows if row.note]
    if notes:
        # one line each however narrow the terminal is, as `sha256sum` writes them
        console.print(*notes, sep='\n', soft_wrap=True, highlight=False, markup=False)


def table(title: str, unpacked: Iterable[Summary], rows: Iterable[Summary]) -> Table:
    """Archives, then parts."""
    result = Table(title=title)
    for column in ('', 'images', 'images are', 'content', 'files'):
        result.add_column(column, overflow='fold')
    for row in unpacked:
        result.add_row(row.name, '', '', row.content, row.state)
    for row in rows:
        result.add_row(row.name, f'{row.images:,}', row.verdict, row.content, row.state)
    return result


def check(name: str, args: argparse.Namespace, console: Console) -> int:
    """Prints what is wrong with a data set; returns the number of problems."""
    total = 0
    for part in chosen_parts(name, args):
        with progress_of(args) as run:
            problems = part.problems(run)
            lines = [
                f'{name} {part.name}: {line}'
                for line in islice(problems, args.limit or None)
            ]
            more = sum(1 for _ in problems)
        total += len(lines) + more
        if more:
            lines.append(f'{name} {part.name}: {more:,} problems more (--limit 0)')
        lines = lines or [f'{name} {part.name}: no problem found']
        console.print(*lines, sep='\n', soft_wrap=True, markup=False, highlight=False)
    return total


def main(argv: list[str] | None = None) -> None:
    """Prepares or checks the data sets."""
    args = parse_args(argv)
    console = Console()
    problems = 0
    try:
        for name in args.names:
            if args.check:
                problems += check(name, args, console)
            else:
                prepare(name, args, console)
    except BrokenProcessPool:
        sys.exit(
            'prepare: a worker was killed, for lack of memory perhaps; run it '
            'again with fewer --workers, finished files are kept'
        )
    except (OSError, ValueError) as error:
        sys.exit(f'prepare: {one_line(error)}')
    if problems:
        sys.exit(1)


if __name__ == '__main__':
    main()
