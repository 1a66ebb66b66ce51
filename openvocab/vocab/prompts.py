"""Prompt sets: the sentences that a class name is put into.

Sources of the templates (facts of the cited work, written out here):

- ``single``: CLIP's own default prompt (Radford et al. 2021, section 3.1.4).
- ``densevlm``: the prompt named in the DenseVLM paper.
- ``vild14``: the 14 templates used by OVSeg, ODISE, FC-CLIP, SAN and mmseg ("vild").
- ``vild63``: the 63 templates of ViLD (Gu et al. 2022, appendix D) with the settings
  of its code: ``a``/``an`` by the name's first letter, and ``This is`` before prompts
  that start with an article. CLIPSelf, F-ViT and DenseVLM use this list.
- ``imagenet80``: the 80 ImageNet templates of CLIP, as open_clip ships them.
- ``imagenet_select``: the seven that CLIP's authors found to do nearly as well and one
  of a scene, a choice of CAT-Seg's code.
"""

import hashlib
import json
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property

from .class_entry import VocabularyError

_FIELD = re.compile(r'\{[^{}]*\}')
_SIZES = ('small', 'medium', 'large')
_VILD14 = (
    'a photo of a {}.',
    'This is a photo of a {}',
    'There is a {} in the scene',
    'There is the {} in the scene',
    'a photo of a {} in the scene',
    *(f'a photo of a {size} {{}}.' for size in _SIZES),
    *(f'This is a photo of a {size} {{}}.' for size in _SIZES),
    *(f'There is a {size} {{}} in the scene.' for size in _SIZES),
)


@dataclass(frozen=True)
class PromptSet:
    """Named, immutable list of templates.

    Attributes:
        name: Name of the set, for reports.
        templates: Sentences with exactly one ``{}`` for the class name; ``{article}``
            may stand anywhere and becomes ``a`` or ``an``.

    Raises:
        VocabularyError: No template, or one that is malformed (the message names it).
    """

    name: str
    templates: tuple[str, ...]

    def __post_init__(self) -> None:
        object.__setattr__(self, 'templates', tuple(self.templates))
        if not self.templates:
            raise VocabularyError(f'prompt set {self.name!r} has no template')
        for template in self.templates:
            _check_template(self.name, template)

    def __len__(self) -> int:
        return len(self.templates)

    @cached_property
    def hash(self) -> str:
        """Content hash of the templates, 16 hex digits."""
        return hashlib.sha256(json.dumps(self.templates).encode()).hexdigest()[:16]

    def format(self, name: str) -> list[str]:
        """Puts a class name into every template.

        The name is written the way ViLD does it: lower case, ``_`` becomes a blank,
        ``/`` becomes "or", a full stop at the end is dropped. ``article`` follows the
        first letter.

        Args:
            name: Prompt name of a class.

        Returns:
            list[str]: One sentence per template.
        """
        text = name.lower().replace('_', ' ').replace('/', ' or ').rstrip('.')
        text = ' '.join(text.split())
        article = 'an' if text[:1] in tuple('aeiou') else 'a'
        return [t.format(text, article=article) for t in self.templates]


def get_prompts(source: str | Sequence[str] | PromptSet) -> PromptSet:
    """Looks up or builds a prompt set.

    Args:
        source: ``single``, ``densevlm``, ``vild14``, ``vild63``, ``imagenet80``,
            ``imagenet_select``, or a list of templates, or a PromptSet, which is
            returned as it is.

    Raises:
        VocabularyError: Unknown name (the message lists the known ones), wrong type,
            or a template without exactly one ``{}``.
    """
    if isinstance(source, PromptSet):
        return source
    if isinstance(source, str):
        if source not in _SETS:
            raise VocabularyError(
                f'unknown prompt set {source!r}; known are {", ".join(_SETS)} '
                '(give your own templates as a list)'
            )
        return PromptSet(source, tuple(_SETS[source]()))
    if not isinstance(source, Sequence) or isinstance(source, bytes):
        raise VocabularyError(
            f'prompts are the name of a set or a list of templates, got {source!r}'
        )
    return PromptSet('custom', tuple(source))


def _check_template(name: str, template: str) -> None:
    if not isinstance(template, str):
        raise VocabularyError(
            f'prompt set {name!r}: a template is a string, got {template!r}'
        )
    fields = _FIELD.findall(template)
    others = [field for field in fields if field not in ('{}', '{article}')]
    stray = re.search(r'[{}]', _FIELD.sub('', template))
    if fields.count('{}') != 1 or others or stray:
        raise VocabularyError(
            f'prompt set {name!r}: template {template!r} must contain exactly one '
            '{} (and otherwise only {article})'
        )


def _vild63() -> list[str]:
    both = ('{article} {}', 'the {}')
    described = (
        'photo of {article} {}.',
        'photo of the {}.',
    )
    templates = [
        'There is {article} {} in the scene.',
        'There is the {} in the scene.',
        'a photo of {article} {} in the scene.',
        'a photo of the {} in the scene.',
        'a photo of one {} in the scene.',
        'itap of {article} {}.',
        'itap of my {}.',
        'itap of the {}.',
        *(f'a photo of {noun}.' for noun in ('{article} {}', 'my {}', 'the {}')),
        'a photo of one {}.',
        'a photo of many {}.',
    ]
    templates += [f'a {kind} {rest}' for kind in ('good', 'bad') for rest in described]
    for kind in ('nice', 'cool', 'weird', 'small', 'large', 'clean', 'dirty'):
        templates += [f'a photo of a {kind} {{}}.', f'a photo of the {kind} {{}}.']
    templates += [
        f'a {kind} {rest}' for kind in ('bright', 'dark') for rest in described
    ]
    templates += ['a photo of a hard to see {}.', 'a photo of the hard to see {}.']
    for kind in (
        'low resolution',
        'cropped',
        'close-up',
        'jpeg corrupted',
        'blurry',
        'pixelated',
        'black and white',
    ):
        templates += [f'a {kind} photo of {noun}.' for noun in both]
    for kind in ('plastic', 'toy', 'plushie', 'cartoon'):
        templates += [f'a {kind} {{}}.', f'the {kind} {{}}.']
    templates += ['an embroidered {}.', 'the embroidered {}.']
    templates += ['a painting of the {}.', 'a painting of a {}.']
    starts = ('a ', 'an ', 'the ')
    return [f'This is {t}' if t.startswith(starts) else t for t in templates]


def _imagenet80() -> list[str]:
    from open_clip import OPENAI_IMAGENET_TEMPLATES

    return [template('{}') for template in OPENAI_IMAGENET_TEMPLATES]


def _imagenet_select() -> list[str]:
    from open_clip import SIMPLE_IMAGENET_TEMPLATES

    seven = [template('{}') for template in SIMPLE_IMAGENET_TEMPLATES]
    return [*seven, 'A photo of a {} in the scene']


_SETS: dict[str, Callable[[], Sequence[str]]] = dict(
    single=lambda: ('a photo of a {}.',),
    densevlm=lambda: ('This is a photo of the {} in the scene.',),
    vild14=lambda: _VILD14,
    vild63=_vild63,
    imagenet80=_imagenet80,
    imagenet_select=_imagenet_select,
)
