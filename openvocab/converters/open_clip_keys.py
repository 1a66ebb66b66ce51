"""Any known CLIP state dict for a model of open_clip."""

import re
from collections.abc import Mapping

from torch import Tensor

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
    :func:`openvocab.checkpoints.key_check.check_keys` to
    find.

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
