"""Loading of checkpoints that never runs code from the file."""

from pathlib import Path
from pickle import UnpicklingError
from typing import Any

import numpy as np
import torch
from mmengine.logging import HistoryBuffer
from mmengine.runner import CheckpointLoader
from safetensors.torch import load_file
from torch.torch_version import TorchVersion


def _history_method(owner: Any, name: str) -> Any:
    """Stands for ``getattr`` in files: log buffers name their methods with it."""
    if owner is not HistoryBuffer or name not in HistoryBuffer()._statistics_methods:
        raise UnpicklingError(f'Unsupported attribute {name!r}')
    return getattr(owner, name)


def _trusted() -> list:
    """What checkpoints of mmengine's own hook hold besides tensors: log buffers."""
    core = np._core if hasattr(np, '_core') else np.core
    arrays = [
        core.multiarray._reconstruct,
        core.multiarray.scalar,
        np.ndarray,
        np.dtype,
    ]
    dtypes = {
        type(np.dtype(name)) for name in ('f2', 'f4', 'f8', 'i4', 'i8', 'u4', '?')
    }
    return [HistoryBuffer, *arrays, *dtypes, (_history_method, 'builtins.getattr')]


def _load_plain(path: Path, map_location: Any) -> Any:
    if TorchVersion(torch.__version__) < (2, 6):  # no names for trusted functions yet
        return torch.load(path, map_location=map_location, weights_only=True)
    with torch.serialization.safe_globals(_trusted()):
        return torch.load(path, map_location=map_location, weights_only=True)


def load_local(filename: str, map_location: Any = None) -> dict:
    """Loads a local checkpoint; refuses one that would run code.

    Args:
        filename: A ``.safetensors`` file or a file written by ``torch.save``.
        map_location: As in :func:`torch.load`.

    Returns:
        The content of the file.

    Raises:
        FileNotFoundError: If there is no such file.
        ValueError: If the file is no checkpoint, is cut short, or carries code.
    """
    path = Path(filename).expanduser()
    if not path.is_file():
        raise FileNotFoundError(f'checkpoint not found: {path}')
    if path.suffix == '.safetensors':
        device = map_location if isinstance(map_location, str) else 'cpu'
        return load_file(path, device=device)
    try:
        return _load_plain(path, map_location)
    except (UnpicklingError, RuntimeError, EOFError, ValueError) as error:
        reason = ' '.join(str(error).split())
        if 'Unsupported' in reason:
            raise ValueError(
                f'{path}: refused, the file carries code or unknown objects; '
                'only tensors and plain values are loaded'
            ) from error
        raise ValueError(
            f'{path}: not a readable checkpoint ({reason[:120]})'
        ) from error


def refuse_code_in_checkpoints() -> None:
    """Makes mmengine load local checkpoints with :func:`load_local`.

    mmengine falls back to full unpickling, which runs whatever a file says.
    """
    CheckpointLoader.register_scheme(prefixes='', loader=load_local, force=True)
