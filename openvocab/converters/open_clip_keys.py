"""Bring any known CLIP state dict to open_clip's key names, and check it."""

import re
from pathlib import Path

from torch import Tensor

from . import eva_clip
from .checkpoint_file import CheckpointError

# Text-tower entries that stand at the root in open_clip's plain ``CLIP``.
_ROOT_TEXT = re.compile(
    r'^(transformer|token_embedding|ln_final|positional_embedding$|text_projection$)'
)
# Fixed tables and sizes that some files carry and every model computes itself.
_COMPUTED = re.compile(
    r'(^|\.)(attn_mask|position_ids|rope\.freqs_(cos|sin))$'
    r'|^(input_resolution|context_length|vocab_size)$'
)


def to_open_clip(
    state_dict: dict[str, Tensor], has_text_module: bool
) -> dict[str, Tensor]:
    """Rename the keys of a CLIP state dict to those of an open_clip model.

    Understood: open_clip's own names, the authors' EVA-CLIP names (CLIPSelf, DenseVLM),
    and text towers stored at the root or under ``text.``.

    Args:
        state_dict: Tensors as read from a file.
        has_text_module: Whether the model keeps its text tower under ``text``
            (``CustomTextCLIP``) or at its root (``CLIP``).
    """
    if eva_clip.is_upstream(state_dict):
        state_dict = eva_clip.from_upstream(state_dict)
    out = {}
    for key, value in state_dict.items():
        if _COMPUTED.search(key):
            continue
        if has_text_module and _ROOT_TEXT.match(key):
            key = 'text.' + key
        elif not has_text_module:
            key = key.removeprefix('text.')
        if key == 'logit_scale':
            value = value.reshape(())
        out[key] = value
    return out


def check_keys(
    state: dict[str, Tensor], wanted: dict[str, Tensor], path: str | Path, arch: str
) -> None:
    """Compare a state dict with what a model wants: names and shapes.

    Args:
        state: State dict to be loaded.
        wanted: The model's own state dict.
        path: Where ``state`` came from.
        arch: The model's architecture.

    Raises:
        CheckpointError: One line, naming the file and the first offending key.
    """
    if not any(key in wanted for key in state):
        first = next(iter(state), 'nothing')
        raise CheckpointError(
            f'checkpoint {path} is not for {arch}: no key in common (it has {first!r})'
        )
    for key, value in wanted.items():
        if key not in state:
            tower = 'text' if not key.startswith('visual.') else 'image'
            if not any(_tower(k) == tower for k in state):
                raise CheckpointError(
                    f'checkpoint {path} has no {tower} tower, {arch} needs {key!r}'
                )
            raise CheckpointError(f'checkpoint {path} is not for {arch}: no {key!r}')
        if state[key].shape != value.shape:
            raise CheckpointError(
                f'checkpoint {path} is not for {arch}: {key!r} has shape '
                f'{tuple(state[key].shape)}, expected {tuple(value.shape)}'
            )
    for key in state:
        if key not in wanted:
            raise CheckpointError(
                f'checkpoint {path} is not for {arch}: unknown key {key!r}'
            )


def _tower(key: str) -> str:
    if key.startswith('logit_'):
        return 'none'
    return 'image' if key.startswith('visual.') else 'text'
