"""OpenCLIP's files: their names are ours."""

from collections.abc import Mapping
from typing import Any

from openvocab.checkpoints.reading import state_dict_of

from .adapter import register_adapter
from .clip_adapter import CLIPAdapter, unchanged


@register_adapter
class OpenCLIP(CLIPAdapter):
    """What open_clip trains and releases, and what we export, towers of any kind."""

    family = 'open_clip'
    licence = "that of the release, see its model card (open_clip's code is MIT)"
    rules = unchanged(
        'visual.{rest:.+}',
        'text.{rest:.+}',
        '{name:positional_embedding|text_projection|logit_scale|logit_bias}',
        'token_embedding.weight',
        'transformer.{rest:.+}',
        'ln_final.{p:weight|bias}',
    )

    def matches(self, state: Mapping[str, Any]) -> bool:
        """See :meth:`Adapter.matches`."""
        keys = state_dict_of(state)
        ours = 'visual.conv1.weight' in keys or any(
            key.startswith('visual.trunk.') for key in keys
        )
        return ours and 'input_resolution' not in keys
