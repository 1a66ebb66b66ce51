"""Key names of EVA-02-CLIP: the authors' (upstream) and open_clip's (ours).

The two name the same tensors, shape for shape, so the conversion renames both ways and
never touches a value. In open_clip the image tower is a timm model under
``visual.trunk``. Fixed tables that the authors' code stores (rotary embedding, causal
mask) are dropped: both code bases compute them.
"""

import re

from torch import Tensor

_UPSTREAM_MARK = re.compile(r'^visual\.(blocks\.\d+\.|cls_token$|patch_embed\.)')
_COMPUTED = re.compile(r'(^|\.)(rope\.freqs_(cos|sin)|attn_mask|rel_pos_bias_index)$')

# (upstream, ours) inside visual.blocks.N. ; the biases only where q, k, v are separate.
_BLOCK_NAMES = (
    ('attn.inner_attn_ln.', 'attn.norm.'),
    ('mlp.ffn_ln.', 'mlp.norm.'),
    ('mlp.w1.', 'mlp.fc1_g.'),
    ('mlp.w2.', 'mlp.fc1_x.'),
    ('mlp.w3.', 'mlp.fc2.'),
)
_SEPARATE_BIASES = (
    ('attn.q_bias', 'attn.q_proj.bias'),
    ('attn.v_bias', 'attn.v_proj.bias'),
)


def is_upstream(state_dict: dict[str, Tensor]) -> bool:
    """Whether a state dict uses the names of the authors' EVA-CLIP code."""
    return any(_UPSTREAM_MARK.match(key) for key in state_dict)


def from_upstream(state_dict: dict[str, Tensor]) -> dict[str, Tensor]:
    """Rename the authors' keys to open_clip's; other keys pass unchanged."""
    names = _names(any('.attn.q_proj.' in key for key in state_dict))
    out = {}
    for key, value in state_dict.items():
        if _COMPUTED.search(key):
            continue
        if key.startswith('visual.') and not key.startswith('visual.trunk.'):
            key = 'visual.trunk.' + key.removeprefix('visual.')
            for upstream, ours in names:
                key = key.replace(upstream, ours)
        out[key] = value
    return out


def to_upstream(state_dict: dict[str, Tensor]) -> dict[str, Tensor]:
    """Rename open_clip's keys to the authors'; the inverse of :func:`from_upstream`."""
    names = _names(any('.attn.q_proj.' in key for key in state_dict))
    out = {}
    for key, value in state_dict.items():
        if key.startswith('visual.trunk.'):
            key = 'visual.' + key.removeprefix('visual.trunk.')
            for upstream, ours in names:
                key = key.replace(ours, upstream)
        out[key] = value
    return out


def _names(separate: bool) -> tuple[tuple[str, str], ...]:
    return _BLOCK_NAMES + (_SEPARATE_BIASES if separate else ())
