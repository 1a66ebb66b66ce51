"""EVA-CLIP as BAAI released it (``EVA02_CLIP_*.pt``, ``EVA01_CLIP_*.pt``).

In open_clip the image tower is a timm model under ``visual.trunk``; both name the same
tensors, shape for shape. The filter that :mod:`timm.models.eva` applies to such
files, gives the same names; it cannot be turned round and takes the image tower only.

Source: Sun et al., "EVA-CLIP: Improved Training Techniques for CLIP at Scale", 2023;
names of the public code.
"""

from collections.abc import Iterable

from .adapter import register_adapter
from .clip_adapter import CLIPAdapter, unchanged
from .key_rule import KeyRule

_BLOCK, _OURS = 'visual.blocks.{i}.', 'visual.trunk.blocks.{i}.'
_SUB_NORMS = {
    'attn.inner_attn_ln.{p}': 'attn.norm.{p}',
    'mlp.ffn_ln.{p}': 'mlp.norm.{p}',
}
# EVA01 and EVA02-E have an ordinary MLP and one matrix of q, k and v: names stay.
_SWIGLU = {
    'mlp.w1.{p}': 'mlp.fc1_g.{p}',
    'mlp.w2.{p}': 'mlp.fc1_x.{p}',
    'mlp.w3.{p}': 'mlp.fc2.{p}',
}
_SEPARATE = {'attn.q_bias': 'attn.q_proj.bias', 'attn.v_bias': 'attn.v_proj.bias'}
_REST = (
    KeyRule('visual.{rest:.+}', 'visual.trunk.{rest}'),
    *unchanged('text.{rest:.+}', '{name:logit_scale|logit_bias}'),
)


def _block_rules(names: dict[str, str]) -> tuple[KeyRule, ...]:
    return tuple(KeyRule(_BLOCK + a, _OURS + b) for a, b in names.items())


@register_adapter
class EvaCLIP(CLIPAdapter):
    """EVA-02-CLIP B, L and E, and EVA-01-CLIP g."""

    family = 'eva_clip'
    licence = 'MIT (BAAI EVA-CLIP)'
    rules = (*_block_rules(_SUB_NORMS | _SWIGLU | _SEPARATE), *_REST)
    plain_rules = (*_block_rules(_SUB_NORMS), *_REST)
    """Those of EVA01 and EVA02-E."""
    required = (
        'visual.trunk.cls_token',
        'visual.trunk.pos_embed',
        'visual.trunk.patch_embed.proj.weight',
        'visual.trunk.patch_embed.proj.bias',
        'visual.trunk.blocks.{i}.norm1.weight',
        'visual.trunk.blocks.{i}.norm1.bias',
        'visual.trunk.blocks.{i}.attn.proj.weight',
        'visual.trunk.blocks.{i}.attn.proj.bias',
        'visual.trunk.blocks.{i}.norm2.weight',
        'visual.trunk.blocks.{i}.norm2.bias',
        'visual.trunk.blocks.{i}.mlp.fc2.weight',
        'visual.trunk.blocks.{i}.mlp.fc2.bias',
        'visual.trunk.norm.weight',
        'visual.trunk.norm.bias',
        'visual.trunk.head.weight',
        'visual.trunk.head.bias',
    )
    marks = ('visual.blocks.{i}.{rest:.+}',)

    def rules_for(self, keys: Iterable[str]) -> tuple[KeyRule, ...]:
        """See :meth:`Adapter.rules_for`."""
        separate = any('.attn.q_proj.' in key for key in keys)
        return self.rules if separate else self.plain_rules
