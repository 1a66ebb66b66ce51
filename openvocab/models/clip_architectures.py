"""Which CLIP architecture a set of tensors is of, by names and shapes."""

from collections.abc import Iterator, Mapping
from functools import lru_cache
from typing import Any

import open_clip
from torch import Tensor

from openvocab.checkpoints.key_check import key_differences
from openvocab.converters.open_clip_keys import to_open_clip

from .clip_factory import CONFIG_DIR, build_clip, clip_config

# Where the width of the joint space stands: key, axis.
_JOINT_WIDTH = (
    ('visual.proj', 1),
    ('visual.attnpool.c_proj.weight', 0),
    ('visual.trunk.head.weight', 0),
    ('visual.head.proj.weight', 0),
    ('text_projection', 1),
    ('text.text_projection', 1),
)
_EVA_KEYS = ('.attn.q_proj.weight', '.attn.q_bias')


def find_architectures(state: Mapping[str, Tensor]) -> list[str]:
    """Names of the architectures of open_clip and ours that tensors fit, all of them.

    Several names may fit: with and without QuickGELU, for one, no tensor differs.

    Args:
        state: Open_clip's names, both towers or the image tower alone; values are not
            read.
    """
    names = [*open_clip.list_models(), *(p.stem for p in CONFIG_DIR.glob('*.json'))]
    return [
        name
        for name in sorted(set(names))
        if _may_fit(clip_config(name)[0], state)
        and next(differences(state, name), None) is None
    ]


def differences(state: Mapping[str, Tensor], arch: str) -> Iterator[str]:
    """Lists in what tensors differ from those of an architecture.

    Args:
        state: Open_clip's names; without any text tower only the image towers are
            compared.
        arch: Architecture, see :mod:`openvocab.models.clip_factory`.

    Yields:
        One line per key.

    Raises:
        KeyError: No such architecture.
    """
    wanted = _meta_state(arch)
    state = to_open_clip(state, any(key.startswith('text.') for key in wanted))
    image_only = all(key.startswith(('visual.', 'logit_')) for key in state)
    if image_only:
        wanted = {k: v for k, v in wanted.items() if k.startswith('visual.')}
        state = {k: v for k, v in state.items() if k.startswith('visual.')}
    yield from key_differences(state, wanted)


def _may_fit(config: dict[str, Any], state: Mapping[str, Tensor]) -> bool:
    """Looks at a few sizes, so that few models need to be built."""
    text, vision = config['text_cfg'], config['vision_cfg']
    if 'multimodal_cfg' in config or 'hf_model_name' in text:
        return False
    name = vision.get('timm_model_name', '')
    kind = [any(k.startswith('visual.trunk.') for k in state)]
    kind += [
        any(k.startswith('visual.trunk.') and k.endswith(_EVA_KEYS) for k in state)
    ]
    if kind != [bool(name), name.startswith('eva')]:
        return False
    if _joint_width(state) not in (None, config['embed_dim']):
        return False
    for prefix in ('', 'text.'):
        words = state.get(f'{prefix}token_embedding.weight')
        wanted = (text.get('vocab_size', 49408), text.get('width', 512))
        if words is not None and tuple(words.shape) != wanted:
            return False
    return True


def _joint_width(state: Mapping[str, Tensor]) -> int | None:
    for key, axis in _JOINT_WIDTH:
        if key in state and state[key].dim() == 2:
            return state[key].shape[axis]
    return None


@lru_cache(maxsize=4)
def _meta_state(arch: str) -> dict[str, Tensor]:
    return build_clip(clip_config(arch)[0], 'meta').state_dict()
