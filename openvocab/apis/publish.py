"""From a training checkpoint to a file to hand on: weights and what they belong to.

::

    epoch_3.pth -> [ours?] -> without optimizer, logs, averages -> frozen encoder out
                -> [loads into its config?] -> NAME_DATE-SHA8.pth
"""

import hashlib
import io
import json
import re
from collections.abc import Mapping
from datetime import datetime, timezone
from pathlib import Path
from typing import Any, NamedTuple

import torch
from mmengine.config import Config
from safetensors.torch import save
from torch import Tensor, nn

from openvocab.checkpoints.reading import (
    METADATA_KEY,
    CheckpointError,
    checkpoint_sha256,
    read_metadata,
    state_dict_of,
    under,
)
from openvocab.checkpoints.writing import unshared
from openvocab.engine.safe_loading import load_from_source
from openvocab.engine.strict_loading import load_state
from openvocab.fileio import write_atomically
from openvocab.models.freezing import RECORD_KEY, has_tensors, is_frozen

from .model import build_model

SUFFIXES = ('.pth', '.safetensors')
_ENCODER = 'backbone.'
_META = ('cfg', 'dataset_meta', 'epoch', 'iter', 'seed', 'mmengine_version')
# Where a run lay on the machine that it ran on.
_PLACES = re.compile(r'^(work_dir|load_from|resume|launcher)\s*=.*\n?', re.MULTILINE)


class Published(NamedTuple):
    """A file that was written."""

    path: Path
    """Where; the name states date and hash."""
    sha256: str
    """Of the file."""
    dropped: dict[str, int]
    """What the source holds besides, and its bytes (0 where they were not counted)."""
    encoder: str
    """What became of the encoder."""
    parameters: int
    """Numbers in the file."""


def publish(
    config: str | Path,
    checkpoint: str | Path,
    folder: str | Path,
    name: str | None = None,
    suffix: str = '.pth',
    keep_encoder: bool = False,
) -> Published:
    """Writes the weights of a detector or segmentor under a name that says which.

    The model is built from its config and takes the weights, strictly, before anything
    is written. An encoder that is frozen and equal to the one that the config loads is
    replaced by its record; one that differs stays, because no file has it.

    Args:
        config: The config that was trained.
        checkpoint: What ``tools/train.py`` or ``to_openvocab.py`` wrote.
        folder: Where the file goes; made if it is not there.
        name: What its name begins with; by default the config's.
        suffix: ``'.pth'`` (with mmengine's metadata) or ``'.safetensors'``.
        keep_encoder: Leave a frozen encoder in the file whatever it is.

    Raises:
        FileNotFoundError: A file is not there; weights of an encoder too.
        CheckpointError: The checkpoint is damaged, carries code, is of something else,
            or does not fit the config.
    """
    if suffix not in SUFFIXES:
        raise CheckpointError(f'suffix {suffix!r} is none of {", ".join(SUFFIXES)}')
    checkpoint, config = Path(checkpoint), Path(config)
    content, record = _read_ours(checkpoint)
    cfg = Config.fromfile(config)
    if 'backbone' not in cfg.get('model', {}):
        kind = cfg.get('model', {}).get('type')
        raise CheckpointError(
            f'config {config}: {kind} has no backbone, only detectors and segmentors '
            'are published (an alignment exports its encoder, encoder.safetensors)'
        )
    held = state = state_dict_of(content, f'checkpoint {checkpoint}')
    model = build_model(cfg)
    encoder = 'kept as asked'
    if not keep_encoder:
        state, encoder = _without_encoder(state, model.backbone)
    load_state(model, state, checkpoint, cfg)
    record = record | dict(
        config=config.name,
        source=dict(name=checkpoint.name, sha256=checkpoint_sha256(checkpoint)),
        encoder=model.backbone.record(),
        published=datetime.now(timezone.utc).strftime('%Y-%m-%d'),
    )
    state = unshared(state)
    written = _bytes(state, content.get('meta', {}), record, suffix)
    path, sha256 = _write(written, Path(folder), name or config.stem, suffix)
    parts = {k: v for k, v in content.items() if k not in ('state_dict', 'meta')}
    dropped = {str(key): _size(value) for key, value in parts.items()}
    if stripped := {key: held[key] for key in held.keys() - state.keys()}:
        dropped['frozen encoder'] = _size(stripped)
    numbers = sum(value.numel() for value in state.values())
    return Published(path, sha256, dropped, encoder, numbers)


def _read_ours(path: Path) -> tuple[dict[str, Any], dict[str, Any]]:
    """Content of a checkpoint and the record beside its weights, if it is ours."""
    content = load_from_source(str(path))
    record = read_metadata(path)
    if path.suffix == '.safetensors':
        content = dict(state_dict=content)
    if not isinstance(content, dict):
        raise CheckpointError(f'checkpoint {path} holds no state dict of tensors')
    meta = content.get('meta')
    record = record or (meta.get(METADATA_KEY, {}) if isinstance(meta, dict) else {})
    trained = isinstance(meta, dict) and 'cfg' in meta and 'mmengine_version' in meta
    state = state_dict_of(content, f'checkpoint {path}')
    if not (trained or record) or not any(k.startswith(_ENCODER) for k in state):
        raise CheckpointError(
            f'checkpoint {path} is none of ours: it needs an encoder or the record of '
            'one, and what tools/train.py or to_openvocab.py writes beside the '
            'weights (convert a released file with to_openvocab.py first)'
        )
    return content, record


def _without_encoder(
    state: dict[str, Tensor], backbone: nn.Module
) -> tuple[dict[str, Tensor], str]:
    """Replaces a frozen encoder by its record where the config loads the same."""
    if not has_tensors(state, _ENCODER):
        return state, 'not in the source, its record is'
    if not is_frozen(backbone):
        return state, 'kept, it was trained'
    inside, own = under(state, _ENCODER), backbone.state_dict()
    held = {k: v for k, v in inside.items() if not k.endswith(RECORD_KEY)}
    if held.keys() != own.keys():
        return state, 'kept, it is of another architecture than that of the config'
    others = [key for key in own if not torch.equal(own[key], held[key].to(own[key]))]
    if others:
        return state, (
            f'kept, {len(others)} of its {len(own)} tensors differ from those that the '
            f'config loads ({_ENCODER}{others[0]}, ...)'
        )
    rest = {k: v for k, v in state.items() if not k.startswith(_ENCODER)}
    record = {f'{_ENCODER}{RECORD_KEY}': backbone.record_tensor()}
    return {**record, **rest}, 'replaced by its record'


def _bytes(
    state: dict[str, Tensor], meta: dict[str, Any], record: dict[str, Any], suffix: str
) -> bytes:
    if suffix == '.safetensors':
        return save(state, metadata={METADATA_KEY: json.dumps(record)})
    meta = {key: meta[key] for key in _META if key in meta}
    if 'cfg' in meta:
        meta['cfg'] = _PLACES.sub('', meta['cfg'])
    buffer = io.BytesIO()
    torch.save(dict(meta={**meta, METADATA_KEY: record}, state_dict=state), buffer)
    return buffer.getvalue()


def _write(content: bytes, folder: Path, name: str, suffix: str) -> tuple[Path, str]:
    digest = hashlib.sha256(content).hexdigest()
    date = datetime.now(timezone.utc).strftime('%Y%m%d')
    path = folder / f'{name}_{date}-{digest[:8]}{suffix}'
    write_atomically(path, content)
    return path, digest


def _size(value: Any) -> int:
    """Bytes of the tensors within a value."""
    if isinstance(value, Tensor):
        return value.numel() * value.element_size()
    if isinstance(value, Mapping):
        return sum(_size(item) for item in value.values())
    if isinstance(value, (list, tuple)):
        return sum(_size(item) for item in value)
    return 0
