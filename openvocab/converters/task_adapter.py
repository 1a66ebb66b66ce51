"""What the adapters of detectors and segmentors share.

Their released files hold the encoder too, and ours take it over under ``backbone.``:
loading the result replaces whatever encoder the config built, frozen or not, so that
no file of weights can be missing or be the wrong one. ``publish_model.py`` takes a
frozen one out again once it finds it equal to the file that a config names.
"""

import re
from collections.abc import Iterable, Iterator, Mapping
from itertools import product
from typing import ClassVar

from torch import Tensor

from openvocab.checkpoints.key_check import key_differences
from openvocab.checkpoints.reading import under

from .adapter import Conversion
from .clip_adapter import CLIPAdapter
from .key_rule import KeyRule, several

_CHOICE = re.compile(r'\{(\w+):([\w.|]+)\}')
ENCODER = 'backbone.'
_BLOCK_KEYS = (
    *(f'{norm}.{p}' for norm in ('ln_1', 'ln_2') for p in ('weight', 'bias')),
    'attn.in_proj_weight',
    'attn.in_proj_bias',
    *(
        f'{linear}.{p}'
        for linear in ('attn.out_proj', 'mlp.c_fc', 'mlp.c_proj')
        for p in ('weight', 'bias')
    ),
)
VIT = 'backbone.visual.'


def required_blocks(prefix: str) -> tuple[str, ...]:
    """Templates of all keys of a transformer's blocks, OpenAI's names."""
    return tuple(f'{prefix}resblocks.{{i}}.{key}' for key in _BLOCK_KEYS)


REQUIRED_VIT = (
    *(f'{VIT}{n}' for n in ('class_embedding', 'positional_embedding', 'proj')),
    f'{VIT}conv1.weight',
    *(f'{VIT}{n}.{p}' for n in ('ln_pre', 'ln_post') for p in ('weight', 'bias')),
    *required_blocks(f'{VIT}transformer.'),
)
"""Our keys of a ViT of OpenAI as the encoder of a model."""


def required_by(rules: Iterable[KeyRule]) -> tuple[str, ...]:
    """Templates of all keys of ours that a table of rules is about.

    Args:
        rules: ``{p}`` stands for weight and bias, ``{name:a|b}`` for a and b.
    """
    keys = []
    for rule in rules:
        upstream, ours = several(rule.upstream), several(rule.ours)
        choices = {'p': ('weight', 'bias')}
        for template in (*upstream, *ours):
            found = _CHOICE.findall(template)
            choices |= {name: tuple(options.split('|')) for name, options in found}
        for template in ours:
            names = [name for name in choices if f'{{{name}' in template]
            for chosen in product(*(choices[name] for name in names)):
                key = template
                for name, option in zip(names, chosen, strict=True):
                    key = re.sub(rf'\{{{name}(:[^}}]+)?\}}', option, key)
                keys.append(key)
    return tuple(keys)


class TaskAdapter(CLIPAdapter):
    """A family of detectors or segmentors."""

    part = 'encoder: '
    released: ClassVar[tuple[str, ...]] = ()
    """Architectures that the family was released for; where several fit the tensors,
    these come first."""

    def verify(
        self, conversion: Conversion, arch: str | None = None
    ) -> tuple[str, ...]:
        """See :meth:`CLIPAdapter.verify`; records the config, too."""
        wrong = super().verify(conversion, arch)
        found = conversion.metadata.get('arch')
        if found is not None and (config := self.config(found, conversion.state)):
            conversion.metadata['config'] = config
        # the rest is measured by the encoder
        return wrong or tuple(self.wrong_shapes(conversion.state))

    def encoder_state(self, state: Mapping[str, Tensor]) -> dict[str, Tensor]:
        """See :meth:`CLIPAdapter.encoder_state`."""
        return under(state, ENCODER)

    def architectures(self, found: list[str]) -> list[str]:
        """See :meth:`CLIPAdapter.architectures`."""
        return [name for name in found if name in self.released] or found

    def config(self, arch: str, state: Mapping[str, Tensor]) -> str | None:
        """The config that the released weights belong to, relative to ``configs/``."""
        return None

    def wrong_shapes(self, state: Mapping[str, Tensor]) -> Iterator[str]:
        """Lists where the tensors beside the encoder are not as published."""
        yield from ()


def compare_shapes(
    state: Mapping[str, Tensor], wanted: Mapping[str, Tensor], prefix: str
) -> Iterator[str]:
    """Compares the tensors under a prefix with those of a module.

    Args:
        state: The weights in our names.
        wanted: State dict of the module, on any device.
        prefix: Where the module stands.

    Yields:
        One line per key.
    """
    for line in key_differences(under(state, prefix), wanted):
        yield f'{prefix.removesuffix(".")}: {line}'


def openai_stem(arch: str) -> str:
    """How configs write a ViT of OpenAI: ``vit-b16-openai``."""
    name = arch.removesuffix('-quickgelu').lower()
    return re.sub(r'-(\d+)', r'\1', name, count=1) + '-openai'
