"""How a data set is prepared."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from .archive import Archive
from .part import Part


@dataclass(frozen=True)
class Preparation:
    """How a data set is prepared.

    Attributes:
        needs: Files or folders of the archives, below the data root.
        writes: What appears below the output root; empty if configs read the files as
            they are released.
        archives: What ``needs`` is unpacked from.
        parts: (data root, output root) -> the parts.
        by_hand: What no archive holds and where it has to be put; empty if nothing.
    """

    needs: str
    writes: str
    archives: tuple[Archive, ...]
    parts: Callable[[Path, Path], list[Part]]
    by_hand: str = ''
