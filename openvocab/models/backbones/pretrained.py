"""Loading an aligned encoder into a backbone, with a check of what it was made for."""

from pathlib import Path
from typing import TYPE_CHECKING, Any

from mmengine.logging import MMLogger

from openvocab.checkpoints.reading import (
    CheckpointError,
    read_metadata,
    read_state_dict,
    under,
)
from openvocab.converters.open_clip_keys import to_open_clip
from openvocab.models.clip_factory import (
    arch_name,
    clip_fingerprint,
    load_image_tower,
    resolve_checkpoint,
)
from openvocab.models.freezing import RECORD_KEY

from .dense_attention import DenseReadout

if TYPE_CHECKING:
    from .clip_backbone import CLIPBackbone


def load_pretrained(
    backbone: 'CLIPBackbone', checkpoint: str | Path, type: str = '', prefix: str = ''
) -> None:
    """Load an encoder's image tower into a backbone, strictly.

    Args:
        backbone: The backbone; its weights, logit scale and fingerprint are replaced.
        checkpoint: A file of :func:`save_encoder`, or any checkpoint of the same
            architecture that :func:`create_image_tower` reads.
        type: Ignored; the key that ``init_cfg`` carries.
        prefix: Part of the keys before ``visual.``, for a checkpoint that holds a whole
            model (``'backbone.'``, ``'student.'``).

    Raises:
        FileNotFoundError: There is no such file.
        ValueError: Damaged, carries code, or another architecture.
    """
    path = resolve_checkpoint(checkpoint, backbone.arch)
    if path is None:
        raise ValueError('init_cfg names no checkpoint')
    check_record(path, backbone.arch, backbone.readout)
    state = read_state_dict(path)
    if prefix:
        state = under(state, prefix)
        if not state:
            raise CheckpointError(f'checkpoint {path}: no key starts with {prefix!r}')
    if set(state) == {RECORD_KEY}:
        raise CheckpointError(
            f'checkpoint {path}: {prefix}{RECORD_KEY} stands for a frozen encoder that '
            'is not in this file; name the file that the encoder itself was loaded from'
        )
    state = to_open_clip(state, has_text_module=True)
    load_image_tower(backbone.visual, state, path, backbone.arch)
    if 'logit_scale' in state:
        backbone.logit_scale = state['logit_scale'].double().exp().item()
    backbone.fingerprint = clip_fingerprint(backbone.arch, path)


def check_record(path: Path, arch: str, readout: DenseReadout) -> None:
    """Compare an exported encoder's record with how it is about to be used.

    Args:
        path: Checkpoint file; one without a record passes.
        arch: Architecture that it is loaded into.
        readout: Readout that it will be used with; another one than it was trained for
            is worth a warning, because the maps are then not what was aligned.

    Raises:
        CheckpointError: It is of another architecture.
    """
    record = read_metadata(path)
    if not record:
        return
    if record.get('arch') not in (None, arch_name(arch)):
        raise CheckpointError(
            f'checkpoint {path} is of {record["arch"]}, it cannot be loaded into '
            f'{arch_name(arch)}'
        )
    trained = record.get('readout')
    if trained is not None and trained != readout.record():
        warn_of_readout(f'checkpoint {path}', trained, readout)


def warn_of_readout(what: str, trained: dict[str, Any], readout: DenseReadout) -> None:
    """Warn that an encoder is read out in another way than it was trained for.

    Args:
        what: What was trained, for the message.
        trained: Record of the readout that it was trained for.
        readout: Readout that it is used with.
    """
    MMLogger.get_current_instance().warning(
        f'READOUT MISMATCH: {what} was trained with readout {trained}, it is used here '
        f'with {readout.record()}; its dense map was never trained for that'
    )
