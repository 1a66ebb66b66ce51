"""Key templates: one name of a tensor upstream, one name of ours, and back.

A template is a key with fields in braces: ``{i}`` stands for one part between dots,
``{rest:.+}`` for whatever the pattern after the colon matches. Both sides of a rule
have the same fields; a field's pattern is written once.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property

from torch import Tensor

from .tensor_op import TensorOp

_FIELD = re.compile(r'\{(\w+)(?::([^{}]+))?\}')
_ONE_PART = r'[^.]+'


@dataclass(frozen=True)
class KeyRule:
    """One rule of a family: keys of the released file, keys of ours.

    ::

        KeyRule('visual.blocks.{i}.mlp.w3.{p}', 'visual.trunk.blocks.{i}.mlp.fc2.{p}')
        KeyRule('clip.proj', 'text.proj.weight', Transpose())
        KeyRule(('b.{i}.q', 'b.{i}.k', 'b.{i}.v'), 'b.{i}.qkv', Concat())

    Args:
        upstream: Template of the released key; several where their tensors make up one
            or more of ours together.
        ours: Template of our key, or several.
        op: What happens to the tensors; without it they are the same tensors.

    Raises:
        ValueError: The sides have other fields, or several keys and no ``op``.
    """

    upstream: str | tuple[str, ...]
    ours: str | tuple[str, ...]
    op: TensorOp | None = None
    _sides: tuple['_Side', '_Side'] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        upstream, ours = several(self.upstream), several(self.ours)
        patterns = _patterns((*upstream, *ours))
        for template in (*upstream, *ours):
            if {name for name, _ in _FIELD.findall(template)} != set(patterns):
                raise ValueError(
                    f'key rule {self.upstream} <-> {self.ours}: the fields of '
                    f'{template!r} are not {sorted(patterns)}'
                )
        if self.op is None and len(upstream) * len(ours) != 1:
            raise ValueError(
                f'key rule {self.upstream} <-> {self.ours}: several keys need an op'
            )
        sides = (_Side(upstream, patterns), _Side(ours, patterns))
        object.__setattr__(self, '_sides', sides)

    def match_upstream(self, key: str) -> dict[str, str] | None:
        """Fields of a released key, None where the rule is not about it."""
        return self._sides[0].match(key)

    def match_ours(self, key: str) -> dict[str, str] | None:
        """Fields of a key of ours, None where the rule is not about it."""
        return self._sides[1].match(key)

    def upstream_keys(self, fields: Mapping[str, str]) -> tuple[str, ...]:
        """Released keys for some fields."""
        return self._sides[0].keys(fields)

    def our_keys(self, fields: Mapping[str, str]) -> tuple[str, ...]:
        """Our keys for some fields."""
        return self._sides[1].keys(fields)

    def to_ours(self, tensors: Sequence[Tensor]) -> Sequence[Tensor]:
        """Tensors of ours from those of :meth:`upstream_keys`, in order."""
        if self.op is None:
            return tensors
        return self.op.apply(tensors, len(several(self.ours)))

    def to_upstream(self, tensors: Sequence[Tensor]) -> Sequence[Tensor]:
        """Released tensors from those of :meth:`our_keys`, in order."""
        if self.op is None:
            return tensors
        return self.op.invert(tensors, len(several(self.upstream)))


def prefixed(
    rules: Sequence[KeyRule], upstream: str = '', ours: str = ''
) -> tuple[KeyRule, ...]:
    """The same rules for a model that stands inside another one.

    Args:
        rules: Rules of the inner model.
        upstream: What the released keys begin with, dot included.
        ours: What our keys begin with, dot included.
    """

    def put(prefix: str, side: str | tuple[str, ...]) -> tuple[str, ...]:
        return tuple(prefix + template for template in several(side))

    return tuple(
        KeyRule(put(upstream, rule.upstream), put(ours, rule.ours), rule.op)
        for rule in rules
    )


def template_pattern(template: str) -> re.Pattern[str]:
    """Compiles one template; its fields become named groups."""
    return _Side((template,), _patterns((template,))).regexes[0]


@dataclass(frozen=True)
class _Side:
    templates: tuple[str, ...]
    patterns: Mapping[str, str]

    @cached_property
    def regexes(self) -> tuple[re.Pattern[str], ...]:
        return tuple(self._compile(template) for template in self.templates)

    def match(self, key: str) -> dict[str, str] | None:
        for regex in self.regexes:
            if found := regex.fullmatch(key):
                return found.groupdict()
        return None

    def keys(self, fields: Mapping[str, str]) -> tuple[str, ...]:
        return tuple(
            _FIELD.sub(lambda found: fields[found[1]], template)
            for template in self.templates
        )

    def _compile(self, template: str) -> re.Pattern[str]:
        pattern, end, seen = '', 0, set()
        for found in _FIELD.finditer(template):
            name = found[1]
            pattern += re.escape(template[end : found.start()])
            # a field that stands twice must have one value
            pattern += f'(?P={name})' if name in seen else self._group(name)
            seen.add(name)
            end = found.end()
        return re.compile(pattern + re.escape(template[end:]))

    def _group(self, name: str) -> str:
        return f'(?P<{name}>{self.patterns[name]})'


def several(side: str | tuple[str, ...]) -> tuple[str, ...]:
    """The templates of one side of a rule, of which there may be but one."""
    return (side,) if isinstance(side, str) else tuple(side)


def _patterns(templates: Sequence[str]) -> dict[str, str]:
    patterns: dict[str, str] = {}
    for template in templates:
        for name, pattern in _FIELD.findall(template):
            patterns[name] = pattern or patterns.get(name, '')
    return {name: pattern or _ONE_PART for name, pattern in patterns.items()}
