"""One file from a training checkpoint and, where given, an aligned image tower."""

from pathlib import Path

from openvocab.checkpoints.key_check import check_keys
from openvocab.checkpoints.reading import read_state_dict
from openvocab.checkpoints.writing import write_safetensors
from openvocab.models.clip_factory import create_clip

_TRAINING_PREFIX = 'clip.'


def pack_clip(
    arch: str,
    checkpoint: str | Path,
    out: str | Path,
    encoder: str | Path | None = None,
) -> str:
    """Writes both towers of a CLIP as a half-precision safetensors file.

    Args:
        arch: Architecture, see :mod:`openvocab.models.clip_factory`.
        checkpoint: A checkpoint of ``ContrastivePretrainer`` or any open_clip file.
        out: The file to write, ``.safetensors``.
        encoder: A file of :func:`save_encoder` whose image tower and logit scale
            replace those of ``checkpoint``.

    Returns:
        Sha256 of the written file.

    Raises:
        ValueError: If the suffix is wrong, or a file is of another architecture.
    """
    state = {
        key.removeprefix(_TRAINING_PREFIX): value
        for key, value in read_state_dict(checkpoint).items()
    }
    if encoder is not None:
        state.update(read_state_dict(encoder))
    wanted = create_clip(arch).state_dict()
    check_keys(state, wanted, checkpoint, arch)
    return write_safetensors(out, {key: state[key].half() for key in wanted})
