"""Figures of matplotlib, drawn without a display and written whole."""

from pathlib import Path
from typing import TYPE_CHECKING

from openvocab.fileio import atomic_path

if TYPE_CHECKING:
    from types import ModuleType

    from matplotlib.figure import Figure


def headless_pyplot() -> 'ModuleType':
    """``matplotlib.pyplot``, which needs no display."""
    import matplotlib

    matplotlib.use('Agg')
    from matplotlib import pyplot

    return pyplot


def write_figure(path: str | Path, figure: 'Figure') -> None:
    """Writes a figure, whole or not at all, and closes it.

    Args:
        path: The file; its suffix says the format, its folder is made.
        figure: Of :func:`headless_pyplot`.

    Raises:
        OSError: It cannot be written.
        ValueError: Matplotlib has no such format.
    """
    with atomic_path(path) as temporary:
        figure.savefig(temporary, dpi=120)
    headless_pyplot().close(figure)
