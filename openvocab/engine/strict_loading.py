"""Loading weights into a model that they are of, and into no other."""

import re
from collections.abc import Mapping
from pathlib import Path

from mmengine.config import Config
from torch import Tensor, nn

from openvocab.checkpoints.reading import CheckpointError, state_dict_of

from .safe_loading import load_from_source

_SHOWN = 2  # keys of a kind, in messages
_KEY = re.compile(r'"([^"]+)"')
_SHAPES = re.compile(
    r'size mismatch for (\S+): .*?torch\.Size\((.*?)\).*?torch\.Size\((.*?)\)'
)


def load_weights(model: nn.Module, checkpoint: str | Path, cfg: Config) -> None:
    """Loads a checkpoint into a model, all of it or an error.

    mmengine's ``load_checkpoint`` only warns where keys or shapes differ, and a model
    with random weights gives results like any other. What a checkpoint may lack are
    frozen encoders: the model keeps its own. What it may have besides stands in the
    config, ``unused_weights``: how such keys begin.

    Args:
        model: The model.
        checkpoint: Anything that :func:`load_from_source` takes.
        cfg: The config that the model was built from.

    Raises:
        FileNotFoundError: There is no such file.
        CheckpointError: It cannot be read, carries code, was trained with another
            encoder, or is of another model.
    """
    content = load_from_source(str(checkpoint))
    state = state_dict_of(content, f'checkpoint {checkpoint}')
    load_state(model, state, checkpoint, cfg)


def load_state(
    model: nn.Module,
    state: Mapping[str, Tensor],
    checkpoint: str | Path,
    cfg: Config,
) -> None:
    """Loads the tensors of a checkpoint into a model, all of them or an error.

    Args:
        model: The model.
        state: The tensors.
        checkpoint: The file that they are from, for errors.
        cfg: The config that the model was built from.

    Raises:
        CheckpointError: See :func:`load_weights`.
    """
    unused = tuple(cfg.get('unused_weights') or ())
    kept = {key: value for key, value in state.items() if not key.startswith(unused)}
    try:
        model.load_state_dict(kept, strict=True)
    except CheckpointError as error:
        raise CheckpointError(f'checkpoint {checkpoint}: {error}') from error
    except RuntimeError as error:
        name = getattr(cfg, 'filename', None) or 'the config'
        raise CheckpointError(
            f'checkpoint {checkpoint} does not fit {name}: {_reason(str(error))}'
        ) from error


def _reason(message: str) -> str:
    """What torch says of keys and shapes in one line: the first ones of each kind."""
    lines = message.splitlines()
    named = {'missing': 'Missing key(s)', 'unknown': 'Unexpected key(s)'}
    found = {
        kind: [key for line in lines if text in line for key in _KEY.findall(line)]
        for kind, text in named.items()
    }
    found['of another shape'] = [
        f'{key} ({theirs} for {ours})' for key, theirs, ours in _SHAPES.findall(message)
    ]
    parts = [f'{kind}: {_first(keys)}' for kind, keys in found.items() if keys]
    if found['unknown'] and len(parts) == 1:
        parts.append('`unused_weights` of the config may leave them out')
    return '; '.join(parts) or ' '.join(message.split())


def _first(keys: list[str]) -> str:
    more = len(keys) - _SHOWN
    shown = ', '.join(keys[:_SHOWN])
    return f'{shown} and {more} more' if more > 0 else shown
