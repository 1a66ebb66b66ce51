"""What is wrong with a checkpoint file that cannot be read, in a few words."""

import json
import zipfile
from pathlib import Path

_ZIP, _LFS = b'PK\x03\x04', b'version https://git-lfs'
_PAGE = (b'<!doctype', b'<html', b'<?xml')


def describe_damage(path: str | Path) -> str | None:
    """Says why a file cannot be a whole checkpoint; None where nothing shows it.

    Args:
        path: The file.

    Returns:
        The end of a sentence that begins with the file's name.
    """
    path = Path(path)
    size = path.stat().st_size
    with path.open('rb') as file:
        start = file.read(512)
    if size == 0:
        return 'it is empty'
    if start.startswith(_LFS):
        return (
            'it is a pointer of git-lfs, not the file itself; fetch it (git lfs pull)'
        )
    if start.lstrip().lower().startswith(_PAGE):
        return 'it is a web page, not a checkpoint; fetch the file itself'
    if path.suffix == '.safetensors':
        return _short_safetensors(path, size)
    if start.startswith(_ZIP) and not _has_end(path):
        return f'it is truncated: the archive has no end ({size} bytes are here)'
    return None


def _has_end(path: Path) -> bool:
    try:
        return zipfile.is_zipfile(path)
    except zipfile.BadZipFile:  # an end with nonsense in it
        return True


def _short_safetensors(path: Path, size: int) -> str | None:
    with path.open('rb') as file:
        head = file.read(8)
        length = int.from_bytes(head, 'little')
        if len(head) < 8 or length > 100_000_000:  # the format's own limit
            return 'it is no safetensors file'
        text = file.read(length)
    whole = 8 + length
    if len(text) == length:
        try:
            entries = json.loads(text)
            ends = (entry.get('data_offsets', (0, 0))[1] for entry in entries.values())
            whole += max((end for end in ends), default=0)
        except (ValueError, AttributeError, TypeError, LookupError, RecursionError):
            return 'its header is damaged'
    if size < whole:
        return f'it is truncated: {size} of {whole} bytes are here'
    return None
