"""Any known CLIP state dict for a model of open_clip, and the check that it fits."""

import re
from collections.abc import Iterator, Mapping
from pathlib import Path

from torch import Tensor

from openvocab.checkpoints.reading import CheckpointError

from .adapter import ADAPTERS

# Text-tower entries that stand at the root in open_clip's plain ``CLIP``.
_ROOT_TEXT = re.compile(
    r'^(transformer|token_embedding|ln_final|positional_embedding$|text_projection$)'
)


def to_open_clip(
    state_dict: Mapping[str, Tensor], has_text_module: bool
) -> dict[str, Tensor]:
    """Rename the keys of a CLIP's state dict to those of an open_clip model.

    Understood: the names of every CLIP family that has an adapter, and text towers
    stored at the root or under ``text.``. What no family knows keeps its name, for
    :func:`check_keys` to find.

    Args:
        state_dict: Tensors as read from a file.
        has_text_module: Whether the model keeps its text tower under ``text``
            (``CustomTextCLIP``) or at its root (``CLIP``).
    """
    families = ('eva_clip', 'open_clip')
    adapter = next(
        (ADAPTERS[name] for name in families if ADAPTERS[name].matches(state_dict)),
        ADAPTERS['open_clip'],
    )
    conversion = adapter.from_upstream(state_dict)
    unknown = {key: state_dict[key] for key in conversion.unknown}
    out = {}
    for key, value in {**conversion.state, **unknown}.items():
        if has_text_module and _ROOT_TEXT.match(key):
            key = 'text.' + key
        elif not has_text_module:
            key = key.removeprefix('text.')
        if key == 'logit_scale' and value.numel() == 1:
            value = value.reshape(())
        out[key] = value
    return out


def check_keys(
    state: Mapping[str, Tensor],
    wanted: Mapping[str, Tensor],
    path: str | Path,
    arch: str,
) -> None:
    """Compare a state dict with what a model wants: names, shapes and kinds of number.

    Args:
        state: State dict to be loaded.
        wanted: The model's own state dict.
        path: Where ``state`` came from.
        arch: The model's architecture.

    Raises:
        CheckpointError: One line, naming the file and the first offending key.
    """
    for difference in key_differences(state, wanted):
        raise CheckpointError(f'checkpoint {path} is not for {arch}: {difference}')


def key_differences(
    state: Mapping[str, Tensor], wanted: Mapping[str, Tensor]
) -> Iterator[str]:
    """Lists in what a state dict differs from what a model wants.

    Args:
        state: State dict to be loaded.
        wanted: The model's own state dict.

    Yields:
        One line per key; only one if a whole tower, or everything, is absent.
    """
    if not any(key in wanted for key in state):
        first = next(iter(state), 'nothing')
        yield f'no key in common (it has {first!r})'
        return
    towers = {_tower(key) for key in state}
    for key, value in wanted.items():
        if key not in state:
            tower = 'image' if key.startswith('visual.') else 'text'
            if tower not in towers:
                yield f'it has no {tower} tower, needed is {key!r}'
                return
            yield f'no {key!r}'
        elif state[key].shape != value.shape:
            yield (
                f'{key!r} has shape {tuple(state[key].shape)}, expected '
                f'{tuple(value.shape)}'
            )
        elif value.is_floating_point() and not state[key].is_floating_point():
            yield f'{key!r} holds {state[key].dtype}, expected {value.dtype}'
    for key in state:
        if key not in wanted:
            yield f'unknown key {key!r}'


def _tower(key: str) -> str:
    if key.startswith('logit_'):
        return 'none'
    return 'image' if key.startswith('visual.') else 'text'
