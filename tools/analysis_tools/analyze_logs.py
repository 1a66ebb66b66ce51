"""Tabulates training runs and draws their curves.

Per run: steps, seconds per step and the share of it spent waiting for data; per key
the first, the last, the lowest and the highest value.
"""

import argparse
from pathlib import Path

from rich.console import Console
from rich.table import Table

from openvocab.analysis.run_log import RunLog, read_run_log
from openvocab.engine.argument_types import figure_file
from openvocab.engine.user_errors import user_errors
from openvocab.visualization.figure_file import headless_pyplot, write_figure


def parse_args(argv: list[str] | None = None) -> argparse.Namespace:
    """Reads the command line."""
    parser = argparse.ArgumentParser(
        description=__doc__,
        epilog='example: analyze_logs.py work_dirs/A work_dirs/B --keys loss miou '
        '--out curves.png',
    )
    parser.add_argument(
        'runs', nargs='+', help='work directories of tools/train.py, or scalars.json'
    )
    parser.add_argument(
        '--keys', nargs='+', default=['loss'], help='what to show (default: loss)'
    )
    parser.add_argument(
        '--out', type=figure_file, metavar='FILE', help='draw the curves, png or pdf'
    )
    return parser.parse_args(argv)


def main(argv: list[str] | None = None) -> None:
    """Reads, shows and draws."""
    args = parse_args(argv)
    console = Console()
    with user_errors('analyze_logs'):
        logs = [read_run_log(run) for run in args.runs]
        for log in logs:
            missing = [key for key in args.keys if key not in log.series]
            if missing:
                raise ValueError(
                    f'{log.name} logged no {missing[0]}; it has '
                    f'{", ".join(sorted(log.series))}'
                )
        console.print(log_table(logs, args.keys))
        if args.out:
            draw_curves(logs, args.keys, args.out)
            console.print(f'written to {args.out}', highlight=False)


def log_table(logs: list[RunLog], keys: list[str]) -> Table:
    """One row per run and key."""
    table = Table()
    headings = ['run', 'steps', 's/step', 'data', 'key', 'first', 'last', 'min', 'max']
    for number, heading in enumerate(headings):
        table.add_column(heading, justify='left' if number in (0, 4) else 'right')
    for log in logs:
        seconds, data = log.mean('time'), log.mean('data_time')
        pace = '' if seconds is None else f'{seconds:.3f}'
        share = f'{data / seconds:.0%}' if seconds and data is not None else ''
        for row, key in enumerate(keys):
            values = list(log.series[key].values())
            numbers = (values[0], values[-1], min(values), max(values))
            about = ('', '', '', '') if row else (log.name, str(log.steps), pace, share)
            table.add_row(*about, key, *(f'{number:.4g}' for number in numbers))
        table.add_section()
    return table


def draw_curves(logs: list[RunLog], keys: list[str], path: str | Path) -> None:
    """One plot per key, one line per run."""
    pyplot = headless_pyplot()
    figure, axes = pyplot.subplots(
        len(keys), figsize=(8, 3.2 * len(keys)), squeeze=False, layout='constrained'
    )
    for key, axis in zip(keys, axes[:, 0], strict=True):
        for log in logs:
            series = log.series[key]
            marker = 'o' if len(series) < 20 else None
            axis.plot(
                list(series), list(series.values()), marker=marker, label=log.name
            )
        axis.set(xlabel='step', ylabel=key)
        axis.grid(alpha=0.3)
    axes[0, 0].legend()
    write_figure(path, figure)


if __name__ == '__main__':
    main()
