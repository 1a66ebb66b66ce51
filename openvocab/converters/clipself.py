"""Released CLIPSelf checkpoints.

A file is ``{epoch, name, state_dict, optimizer, scaler}``; its ``state_dict`` is a
whole CLIP with EVA-CLIP's names, or with open_clip's own for the OpenAI towers. Neither
says that CLIPSelf trained it: the family must be named.

Source: Wu et al., "CLIPSelf", ICLR 2024.
"""

from collections.abc import Iterable, Mapping

from torch import Tensor

from .adapter import register_adapter
from .eva_clip import EvaCLIP
from .key_rule import KeyRule
from .openclip import OpenCLIP


@register_adapter
class CLIPSelf(EvaCLIP):
    """Towers that CLIPSelf aligned, read with the ``value`` readout."""

    family = 'clipself'
    licence = 'S-Lab License 1.0, non-commercial (CLIPSelf)'
    marks = ()
    readout = dict(
        type='ValueReadout', residual=True, ffn=True, attn_scale=None, rope=True
    )

    def rules_for(self, keys: Iterable[str]) -> tuple[KeyRule, ...]:
        """See :meth:`Adapter.rules_for`."""
        return super().rules_for(keys) if _is_eva(keys) else OpenCLIP.rules

    def required_for(self, state: Mapping[str, Tensor]) -> tuple[str, ...]:
        """See :meth:`Adapter.required_for`."""
        return self.required if _is_eva(state) else OpenCLIP.required


def _is_eva(keys: Iterable[str]) -> bool:
    return any(key.startswith(('visual.blocks.', 'visual.trunk.')) for key in keys)
