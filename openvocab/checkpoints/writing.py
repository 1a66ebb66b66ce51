"""Writing a checkpoint file: safetensors, whole or not at all."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from safetensors.torch import save_file
from torch import Tensor

from openvocab.fileio import atomic_path

from .reading import METADATA_KEY, CheckpointError, checkpoint_sha256


def write_safetensors(
    path: str | Path,
    state: Mapping[str, Tensor],
    record: Mapping[str, Any] | None = None,
) -> str:
    """Writes tensors to a file that :func:`read_state_dict` reads.

    Args:
        path: The file, ends with ``.safetensors``; folders are made.
        state: Key to tensor, on any device.
        record: What :func:`read_metadata` gives for the file, json values; None for
            no record.

    Returns:
        Sha256 of the file.

    Raises:
        CheckpointError: The suffix is another one.
    """
    path = Path(path)
    if path.suffix != '.safetensors':
        raise CheckpointError(f'{path}: weights are written to a .safetensors file')
    metadata = None if record is None else {METADATA_KEY: json.dumps(record)}
    with atomic_path(path) as temporary:
        save_file(unshared(state), temporary, metadata=metadata)
    return checkpoint_sha256(path)


def unshared(state: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """Copies tensors to the CPU; safetensors takes none that share memory."""
    return {
        key: value.detach().cpu().contiguous().clone() for key, value in state.items()
    }
