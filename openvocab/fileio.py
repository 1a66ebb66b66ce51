"""Atomic file writing: a reader sees the old file or the new one, never a part."""

import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path


@contextmanager
def atomic_path(path: str | Path) -> Iterator[Path]:
    """Yields a temporary path that replaces ``path`` when the block succeeds.

    The temporary file lies in the same folder and keeps the suffix, so that writers
    that look at it work. It is removed if the block raises.

    Args:
        path: The file to write; its folder is created.
    """
    path = Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    handle, name = tempfile.mkstemp(
        dir=path.parent, prefix=f'.{path.stem}.', suffix=path.suffix
    )
    os.close(handle)
    temporary = Path(name)
    try:
        yield temporary
        # mkstemp makes private files; give the usual permissions.
        umask = os.umask(0)
        os.umask(umask)
        temporary.chmod(0o666 & ~umask)
        os.replace(temporary, path)
    finally:
        with suppress(FileNotFoundError):
            temporary.unlink()


def write_atomically(path: str | Path, content: bytes) -> None:
    """Writes ``content`` to ``path`` so that no reader sees half of it."""
    with atomic_path(path) as temporary:
        temporary.write_bytes(content)
