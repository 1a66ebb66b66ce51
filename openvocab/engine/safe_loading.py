"""Loading of checkpoints that never runs code from the file."""

from collections.abc import Callable
from pickle import UnpicklingError
from typing import Any

import numpy as np
import torch
from mmengine.logging import HistoryBuffer
from mmengine.runner import CheckpointLoader
from mmengine.runner.checkpoint import get_external_models, get_torchvision_models
from torch.torch_version import TorchVersion

from openvocab.checkpoints.reading import CheckpointError, read_checkpoint
from openvocab.checkpoints.source import find_checkpoint

# Prefixes as mmengine has them, patterns among them.
_SERVICES = ('pavi://', r'(\S+\:)?s3://', r'(\S+\:)?petrel://', 'mmcls://')


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


def load_from_source(filename: str, map_location: Any = None) -> dict:
    """Loads a checkpoint by path or name; refuses one that would run code.

    Args:
        filename: Anything that :func:`find_checkpoint` takes: a ``.safetensors`` file
            or a file written by ``torch.save``, ``hf-hub:...``, ``https://...``.
        map_location: As in :func:`torch.load`.

    Returns:
        The content of the file.

    Raises:
        FileNotFoundError: If there is no such file.
        CheckpointError: If the file is no checkpoint, is cut short, or carries code.
    """
    # Before torch 2.6 a trusted function cannot stand under another name.
    named = TorchVersion(torch.__version__) >= (2, 6)
    path = find_checkpoint(filename)
    return read_checkpoint(path, map_location, _trusted() if named else ())


def refuse_code_in_checkpoints() -> None:
    """Makes mmengine load checkpoints with :func:`load_from_source` alone.

    mmengine falls back to full unpickling, which runs whatever a file says. Its names
    of torchvision's and OpenMMLab's files still work; where it would read a storage
    service by itself, the file must be fetched first.
    """
    schemes = {
        ('', 'http://', 'https://', 'hf-hub:', 'openvocab://'): load_from_source,
        ('modelzoo://', 'torchvision://'): _loader_by_name(get_torchvision_models),
        ('open-mmlab://', 'openmmlab://'): _loader_by_name(get_external_models),
        _SERVICES: load_from_service,
    }
    for prefixes, loader in schemes.items():
        CheckpointLoader.register_scheme(prefixes=prefixes, loader=loader, force=True)


def _loader_by_name(table: Callable[[], dict[str, str]]) -> Callable[..., dict]:
    def load_from_table(filename: str, map_location: Any = None) -> dict:
        name = filename.partition('://')[2]
        urls = table()
        if name not in urls:
            raise CheckpointError(f'checkpoint {filename}: no such name')
        return load_from_source(urls[name], map_location)

    return load_from_table


def load_from_service(filename: str, map_location: Any = None) -> dict:
    """Stands where mmengine would read a storage service.

    Args:
        filename: Name of a file there.
        map_location: As in :func:`torch.load`.

    Raises:
        CheckpointError: Always.
    """
    raise CheckpointError(
        f'checkpoint {filename}: fetch the file and name its path, it is not read from '
        'there directly'
    )
