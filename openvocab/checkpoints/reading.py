"""Reading a checkpoint file: weights only, never code, one-line errors.

``.safetensors`` files are read by safetensors; ``.pt``, ``.pth`` and ``.bin`` files by
``torch.load(weights_only=True)``, whose unpickler builds tensors and plain containers
and refuses everything else. Of a TorchScript archive (OpenAI's CLIP) only the tensors
are read, see :mod:`openvocab.checkpoints.torchscript`.
"""

import hashlib
import json
import re
from collections.abc import Mapping, Sequence
from contextlib import nullcontext
from functools import lru_cache
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import load_file
from torch import Tensor

from .file_damage import describe_damage
from .pickle_scan import scan_pickle
from .torchscript import (
    ForeignObjectError,
    TornArchiveError,
    is_torchscript,
    read_torchscript,
)

METADATA_KEY = 'openvocab'
PICKLE_SUFFIXES = ('.pt', '.pth', '.bin')
SUFFIXES = ('.safetensors', *PICKLE_SUFFIXES)
_PROTOCOL = 2  # of torch.save, and what torch's restricted unpickler reads
_NESTED_KEYS = ('state_dict', 'model', 'module')
# How torch's restricted unpickler names what it refuses.
_FOREIGN = re.compile(r'[Uu]nsupported (?:global: )?(?:GLOBAL|class) (\S+)')


class CheckpointError(ValueError):
    """A checkpoint file that cannot be used; the message names it and says why."""


def read_state_dict(path: str | Path) -> dict[str, Tensor]:
    """Read the tensors of a checkpoint file, on the CPU.

    A nested ``{'state_dict': {...}}`` (or ``{'model': {...}}``) is unwrapped and a
    ``module.`` prefix that every key carries is removed.

    Args:
        path: A ``.safetensors``, ``.pt``, ``.pth`` or ``.bin`` file.

    Returns:
        Key to tensor, in file order.

    Raises:
        FileNotFoundError: There is no such file.
        CheckpointError: The file is damaged, holds no tensors, or is a pickle that
            asks for code to be run.
    """
    path = Path(path)
    if path.is_file() and path.suffix not in SUFFIXES:
        raise CheckpointError(
            f'checkpoint {path}: unknown suffix {path.suffix!r}, expected one of '
            f'{", ".join(SUFFIXES)}'
        )
    return state_dict_of(read_checkpoint(path), f'checkpoint {path}')


def state_dict_of(content: Any, name: str = 'checkpoint') -> dict[str, Tensor]:
    """The tensors in the content of a checkpoint file.

    A nested ``{'state_dict': {...}}`` (or ``model``, ``module``) is unwrapped and a
    ``module.`` prefix that every key carries is removed.

    Args:
        content: What :func:`read_checkpoint` gave.
        name: What it is, for the error.

    Raises:
        CheckpointError: There are no tensors.
    """
    while isinstance(content, Mapping):
        inner = (k for k in _NESTED_KEYS if isinstance(content.get(k), Mapping))
        key = next(inner, None)
        if key is None:
            break
        content = content[key]
    state = {}
    if isinstance(content, Mapping):
        state = {k: v for k, v in content.items() if isinstance(v, Tensor)}
    if not state:
        raise CheckpointError(f'{name} holds no state dict of tensors')
    if not all(isinstance(key, str) for key in state):
        raise CheckpointError(f'{name} has keys that are no names')
    if all(key.startswith('module.') for key in state):
        state = {key.removeprefix('module.'): value for key, value in state.items()}
    return state


def under(state: Mapping[str, Tensor], prefix: str) -> dict[str, Tensor]:
    """The entries of a state dict whose keys begin with a prefix, without it."""
    return {
        key.removeprefix(prefix): value
        for key, value in state.items()
        if key.startswith(prefix)
    }


def read_checkpoint(
    path: str | Path, map_location: Any = 'cpu', trusted: Sequence[Any] = ()
) -> Any:
    """Read the whole content of a checkpoint file, tensors and plain values.

    Args:
        path: A safetensors file, or one that ``torch.save`` wrote.
        map_location: As in :func:`torch.load`.
        trusted: Further classes and functions that a pickle may name, as in
            ``torch.serialization.safe_globals``; needs torch >= 2.6.

    Raises:
        FileNotFoundError: There is no such file.
        CheckpointError: The file is damaged or asks for code to be run.
    """
    path = Path(path)
    if not path.is_file():
        raise FileNotFoundError(f'checkpoint {path} does not exist')
    if path.suffix == '.safetensors':
        return _read_safetensors(path, map_location)
    return _read_pickle(path, map_location, trusted)


def read_metadata(path: str | Path) -> dict[str, Any]:
    """Read the record that :func:`write_safetensors` wrote into a file.

    Args:
        path: Any checkpoint file.

    Returns:
        The record, or ``{}`` where the file has none (other formats never have one).
    """
    path = Path(path)
    if path.suffix != '.safetensors':
        return {}
    try:
        with safe_open(path, framework='pt') as file:
            metadata = file.metadata() or {}
        return json.loads(metadata.get(METADATA_KEY, '{}'))
    except (SafetensorError, json.JSONDecodeError) as error:
        raise _damaged(path, error) from error


def checkpoint_sha256(path: str | Path) -> str:
    """Sha256 of a file, 64 hex digits; computed once per file version.

    Args:
        path: The file.
    """
    path = Path(path).resolve()
    stat = path.stat()
    return _sha256(path, stat.st_mtime_ns, stat.st_size)


@lru_cache(maxsize=64)
def _sha256(path: Path, mtime_ns: int, size: int) -> str:
    digest = hashlib.sha256()
    with path.open('rb') as file:
        while block := file.read(1 << 20):
            digest.update(block)
    return digest.hexdigest()


def _read_safetensors(path: Path, map_location: Any) -> dict[str, Tensor]:
    device = map_location if isinstance(map_location, str) else 'cpu'
    try:
        return load_file(path, device=device)
    except (SafetensorError, OSError, ValueError) as error:
        raise _damaged(path, error) from error


def _read_pickle(path: Path, map_location: Any, trusted: Sequence[Any]) -> Any:
    if is_torchscript(path):
        return _read_program(path)
    allowed = (
        torch.serialization.safe_globals(list(trusted)) if trusted else nullcontext()
    )
    try:
        with allowed:
            return torch.load(path, map_location=map_location, weights_only=True)
    except Exception as error:
        text = str(error)
        if wanted := _FOREIGN.search(text):
            raise _foreign(path, wanted[1]) from error
        if 'legacy .tar format' in text:
            raise CheckpointError(
                f'checkpoint {path} has the tar format of torch 0.1; load it once with '
                'the torch that wrote it and save its state dict again'
            ) from error
        # torch's unpickler gives up at opcodes of other protocols than its own
        content = scan_pickle(path)
        if content is not None and content.foreign:
            raise _foreign(path, content.foreign[0]) from error
        if content is not None and content.protocol > _PROTOCOL:
            raise CheckpointError(
                f'checkpoint {path} was pickled with protocol {content.protocol}, '
                f'which cannot be read safely; save it with protocol {_PROTOCOL}, '
                "torch.save's own"
            ) from error
        raise _damaged(path, error) from error


def _read_program(path: Path) -> dict[str, Tensor]:
    try:
        return read_torchscript(path)
    except ForeignObjectError as error:
        raise _foreign(path, str(error)) from error
    except TornArchiveError as error:
        raise _damaged(path, error) from error


def _foreign(path: Path, what: str) -> CheckpointError:
    return CheckpointError(
        f'checkpoint {path}: refused, it carries code or foreign objects ({what}); use '
        'a file that holds tensors and plain values only'
    )


def _damaged(path: Path, error: Exception) -> CheckpointError:
    reason = describe_damage(path)
    if reason is None:
        lines = str(error).strip().splitlines()
        first = lines[0] if lines and ' ' in lines[0] else repr(error)
        reason = f'it is truncated or corrupt ({first[:120]})'
    return CheckpointError(f'checkpoint {path} cannot be read: {reason}')
