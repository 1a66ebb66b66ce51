"""Loading of checkpoints that never runs code from the file."""

from pathlib import Path
from pickle import UnpicklingError
from typing import Any

import numpy as np
import torch
from mmengine.logging import HistoryBuffer
from mmengine.runner import CheckpointLoader
from torch.torch_version import TorchVersion

from openvocab.converters.checkpoint_file import read_checkpoint


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


def load_local(filename: str, map_location: Any = None) -> dict:
    """Loads a local checkpoint; refuses one that would run code.

    Args:
        filename: A ``.safetensors`` file or a file written by ``torch.save``.
        map_location: As in :func:`torch.load`.

    Returns:
        The content of the file.

    Raises:
        FileNotFoundError: If there is no such file.
        CheckpointError: If the file is no checkpoint, is cut short, or carries code.
    """
    # Before torch 2.6 a trusted function cannot stand under another name.
    named = TorchVersion(torch.__version__) >= (2, 6)
    path = Path(filename).expanduser()
    return read_checkpoint(path, map_location, _trusted() if named else ())


def refuse_code_in_checkpoints() -> None:
    """Makes mmengine load local checkpoints with :func:`load_local`.

    mmengine falls back to full unpickling, which runs whatever a file says.
    """
    CheckpointLoader.register_scheme(prefixes='', loader=load_local, force=True)
