"""Log histories as tensors, so that a checkpoint holds nothing but plain values.

mmengine pickles :class:`HistoryBuffer` objects into its checkpoints; to read them,
``getattr`` has to be a trusted function. Files written with these two functions load
with ``torch.load(weights_only=True)`` on every torch.
"""

from typing import Any

import numpy as np
import torch
from mmengine.logging import HistoryBuffer

_KEY = 'openvocab.history'


def to_plain(value: Any) -> Any:
    """Replaces log buffers and numpy values within ``value`` by tensors and numbers."""
    if isinstance(value, HistoryBuffer):
        history, counts = (torch.as_tensor(np.array(array)) for array in value.data)
        return {_KEY: [history, counts, value.max_length]}
    if isinstance(value, np.generic):
        return value.item()
    if isinstance(value, np.ndarray) and value.dtype.kind in 'biuf':
        return torch.from_numpy(value.copy())
    if isinstance(value, dict):
        return {key: to_plain(item) for key, item in value.items()}
    if type(value) in (list, tuple):
        return type(value)(to_plain(item) for item in value)
    return value


def restore_histories(value: Any) -> Any:
    """Turns what :func:`to_plain` made of log buffers back into log buffers."""
    if isinstance(value, dict):
        if set(value) == {_KEY}:
            history, counts, max_length = value[_KEY]
            return HistoryBuffer(history.numpy(), counts.numpy(), max_length)
        return {key: restore_histories(item) for key, item in value.items()}
    return value
