"""OpenAI's CLIP: the archives of the first release, and state dicts saved from them.

Open_clip took over the names; only the three sizes that the files carry are left out.

Source: Radford et al., "Learning Transferable Visual Models From Natural Language
Supervision", ICML 2021.
"""

from .adapter import register_adapter
from .clip_adapter import CLIPAdapter, unchanged

TEXT_RULES = unchanged(
    '{name:positional_embedding|text_projection|logit_scale}',
    'token_embedding.weight',
    'transformer.resblocks.{i}.{rest:.+}',
    'ln_final.{p:weight|bias}',
)
VIT_RULES = unchanged(
    'visual.conv1.weight',
    'visual.{name:class_embedding|positional_embedding|proj}',
    'visual.{norm:ln_pre|ln_post}.{p:weight|bias}',
    'visual.transformer.resblocks.{i}.{rest:.+}',
)
RESNET_RULES = unchanged(
    'visual.{conv:conv[23]}.weight',
    'visual.{norm:bn[123]}.{p}',
    'visual.{stage:layer[1-4]}.{i}.{rest:.+}',
    'visual.attnpool.{rest:.+}',
)


@register_adapter
class OpenAICLIP(CLIPAdapter):
    """OpenAI's own files, ViT and ResNet; told by the sizes that they carry."""

    family = 'openai'
    licence = 'MIT (OpenAI CLIP)'
    rules = (*TEXT_RULES, *VIT_RULES, *RESNET_RULES)
    required = (
        'visual.conv1.weight',
        'token_embedding.weight',
        'positional_embedding',
        'text_projection',
        'logit_scale',
        'ln_final.weight',
        'ln_final.bias',
    )
    marks = ('visual.conv1.weight', 'input_resolution')

    def architectures(self, found: list[str]) -> list[str]:
        """See :meth:`CLIPAdapter.architectures`; all were trained with QuickGELU."""
        return [name for name in found if name.endswith('-quickgelu')]
