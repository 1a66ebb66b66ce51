"""How a preparation or a check is carried out: processes, progress, dry runs."""

from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from functools import partial
from typing import Any

_CHUNK = 16


def _silent(what: str, done: int, total: int | None) -> None:
    """Shows nothing."""


@dataclass(frozen=True)
class Run:
    """Settings of one run of the tool.

    Attributes:
        workers: Processes; 0 works in this one.
        dry_run: Read and count, but write nothing.
        subset: The tree holds a part of the data set on purpose, so that counts are
            not compared with the published ones.
        progress: Called with what is being done, the number of items that are done and
            that of all (None while it is not known).
    """

    workers: int = 0
    dry_run: bool = False
    subset: bool = False
    progress: Callable[[str, int, int | None], None] = _silent

    def reading(self, what: str) -> None:
        """Shows that something of unknown length is read."""
        self.progress(what, 0, None)

    def map(
        self, what: str, function: Callable[..., Any], items: Sequence, **kwargs: Any
    ) -> Iterator[Any]:
        """Applies a function to all items, in their order, and shows the progress."""
        function = partial(function, **kwargs)
        self.progress(what, 0, len(items))
        if not self.workers:
            yield from self._shown(what, map(function, items), len(items))
            return
        with ProcessPoolExecutor(self.workers) as pool:
            results = pool.map(function, items, chunksize=_CHUNK)
            yield from self._shown(what, results, len(items))

    def _shown(self, what: str, results: Iterator[Any], total: int) -> Iterator[Any]:
        for number, result in enumerate(results, start=1):
            self.progress(what, number, total)
            yield result
