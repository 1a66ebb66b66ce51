"""One small file from a training checkpoint of a VFM."""

from pathlib import Path

from openvocab.checkpoints.reading import CheckpointError, read_state_dict, under
from openvocab.checkpoints.writing import write_safetensors

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
    state = under(read_state_dict(checkpoint), _TRAINING_PREFIX)
    if not state:
        raise CheckpointError(
            f'checkpoint {checkpoint}: no key starts with {_TRAINING_PREFIX!r}; it is '
            'not one of SegmentPretrainer'
        )
    return write_safetensors(out, {key: value.half() for key, value in state.items()})
