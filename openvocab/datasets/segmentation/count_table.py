"""Counts of label maps as tables for the console."""

from collections.abc import Sequence

from rich.table import Table

from .label_counts import LabelCounts


def class_table(title: str, names: Sequence[str], counts: LabelCounts) -> Table:
    """Images and pixels of every class."""
    table = Table(title=title)
    for column in ('label', 'class', 'images', 'pixels'):
        table.add_column(column, justify='left' if column == 'class' else 'right')
    for label, name in enumerate(names):
        row = (f'{counts.images_with[label]:,}', f'{counts.pixels[label]:,}')
        table.add_row(str(label), name, *row)
    return table


def summary_row(counts: LabelCounts) -> tuple[str, str]:
    """How many classes occur, and which share of the pixels has none."""
    return (
        f'{counts.classes_present} of {counts.num_classes}',
        f'{100 * counts.ignored_share:.1f} %',
    )
