"""Downloads: atomic, checked, and with advice for those who cannot download."""

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit
from urllib.request import Request, urlopen

import torch
from filelock import FileLock
from rich.progress import wrap_file

from openvocab.fileio import atomic_path

from .reading import CheckpointError, checkpoint_sha256


def download_dir() -> Path:
    """Folder of downloaded files, and of those fetched by hand."""
    return Path(torch.hub.get_dir()) / 'checkpoints'


def is_offline() -> bool:
    """Whether the environment forbids downloads."""
    return os.environ.get('HF_HUB_OFFLINE', '').upper() in ('1', 'ON', 'YES', 'TRUE')


def fetch(location: str, url: str, path: Path, get: Callable[[], Path]) -> Path:
    """Calls a downloader; its failure says how to get the file by hand.

    Args:
        location: The checkpoint's name.
        url: Where a browser finds the file.
        path: Where it is looked for when it was fetched by hand.
        get: Gives the local file; raises whatever it likes.

    Raises:
        FileNotFoundError: The downloader raised, or downloads are forbidden.
        CheckpointError: What came is not what was asked for.
    """
    if path.is_file():
        return path
    cause = None
    reason = 'HF_HUB_OFFLINE is set'
    if not is_offline():
        try:
            return get()
        except CheckpointError:
            raise
        except Exception as error:
            cause = error
            first = (str(error).strip().splitlines() or [''])[0]
            reason = f'{type(error).__name__}: {first[:160]}'
    raise FileNotFoundError(
        f'checkpoint {location} is not here and cannot be downloaded ({reason}): fetch '
        f'{url} and save it as {path}, or name your copy of it instead'
    ) from cause


def download(url: str, path: Path, sha256: str | None = None) -> Path:
    """Downloads a file, once for all processes of a machine, whole or not at all.

    Args:
        url: Its address.
        path: Where it goes; a file that is there is kept.
        sha256: The first digits of its sha256; None is not checked.

    Returns:
        ``path``.

    Raises:
        OSError: The address cannot be read.
        CheckpointError: Less came than announced, or another file.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    with FileLock(f'{path}.lock'):
        # another process of the same job may have been faster
        if not path.is_file():
            with atomic_path(path) as temporary:
                _write(url, temporary)
                if sha256:
                    check_sha256(
                        temporary,
                        sha256,
                        url,
                        'another file lies there or the download was damaged, nothing '
                        'was kept: try again or correct the name',
                    )
    return path


def open_url(url: str) -> Any:
    """Opens an address for reading; its ``headers`` may state the length."""
    request = Request(url, headers={'User-Agent': 'openvocab'})
    return urlopen(request, timeout=60)


def _write(url: str, path: Path) -> None:
    with open_url(url) as response, path.open('wb') as file:
        length = response.headers.get('Content-Length')
        total = int(length) if length and length.isdecimal() else None
        description = f'downloading {Path(urlsplit(url).path).name}'
        with wrap_file(response, total or 0, description=description) as reader:
            while block := reader.read(1 << 20):
                file.write(block)
        size = file.tell()
    if total is not None and size != total:
        raise CheckpointError(
            f'checkpoint {url}: the download is truncated, {size} of {total} bytes came'
        )


def check_sha256(path: Path, wanted: str, name: str, advice: str | None = None) -> None:
    """Compares a file with what it should be.

    Args:
        path: The file.
        wanted: The first digits of its sha256, lower case.
        name: Its name, for the error.
        advice: What to do where it is not; by default what helps with a file that
            stays.

    Raises:
        CheckpointError: It is another file.
    """
    found = checkpoint_sha256(path)
    if not found.startswith(wanted):
        advice = advice or (
            f'{path} is another file or damaged: delete it or correct the name'
        )
        raise CheckpointError(
            f'checkpoint {name}: sha256 is {found[: len(wanted)]}, expected {wanted}; '
            f'{advice}'
        )
