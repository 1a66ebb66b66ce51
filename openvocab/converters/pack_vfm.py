"""One small file from a training checkpoint of a VFM."""

from pathlib import Path

import torch
from safetensors.torch import save_file

from openvocab.fileio import atomic_path

from .checkpoint_file import CheckpointError, checkpoint_sha256, read_state_dict

_TRAINING_PREFIX = 'vfm.trunk.'


def pack_vfm(checkpoint: str | Path, out: str | Path) -> str:
    """Writes the network of a VFM as a half-precision safetensors file.

    Args:
        checkpoint: A checkpoint of ``SegmentPretrainer``.
        out: The file to write, ``.safetensors``; a ``TimmViT`` of the same size reads
            it.

    Returns:
        Sha256 of the written file.

    Raises:
        ValueError: If the suffix is wrong, or the checkpoint is of something else.
    """
    if Path(out).suffix != '.safetensors':
        raise ValueError(f'{out}: a packed VFM is written to a .safetensors file')
    tensors = {
        key.removeprefix(_TRAINING_PREFIX): value.to(torch.float16).contiguous()
        for key, value in read_state_dict(checkpoint).items()
        if key.startswith(_TRAINING_PREFIX)
    }
    if not tensors:
        raise CheckpointError(
            f'checkpoint {checkpoint}: no key starts with {_TRAINING_PREFIX!r}; it is '
            'not one of SegmentPretrainer'
        )
    with atomic_path(out) as temporary:
        save_file(tensors, temporary)
    return checkpoint_sha256(out)
