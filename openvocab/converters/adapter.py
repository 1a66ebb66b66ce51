"""The base of all adapters: a family's released checkpoint to our keys, and back.

::

    conversion = ADAPTERS['densevlm'].from_upstream(read_checkpoint('densevlm.pt'))
    conversion.state      # our names
    conversion.problems   # why it must not be used, one line each
    ADAPTERS['densevlm'].to_upstream(conversion.state)  # the authors' names again

A family is a short subclass: a table of :class:`KeyRule`, of :class:`Drop`, and of
templates of the keys that must be there. Nothing is ever lost without being listed.
"""

from abc import ABC
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, ClassVar, NamedTuple

from torch import Tensor

from openvocab.checkpoints.reading import CheckpointError, state_dict_of

from .key_rule import KeyRule, template_pattern


class Drop(NamedTuple):
    """Released keys that are not taken over."""

    template: str
    """Template of the key, see :mod:`openvocab.converters.key_rule`."""
    reason: str
    """Why nothing is lost, for the listing."""


@dataclass
class Conversion:
    """What became of a released checkpoint."""

    state: dict[str, Tensor] = field(default_factory=dict)
    """Our key to tensor."""
    mapped: dict[str, tuple[str, ...]] = field(default_factory=dict)
    """Released key to the key(s) of ours that hold it."""
    dropped: dict[str, str] = field(default_factory=dict)
    """Released key that was left out, to the reason."""
    missing: tuple[str, ...] = ()
    """Required keys that are absent; released names where known, else ours."""
    unknown: tuple[str, ...] = ()
    """Released keys that the family has no rule for."""
    metadata: dict[str, Any] = field(default_factory=dict)
    """What no tensor says: family, licence, readout, mean and std, ..."""

    @property
    def problems(self) -> tuple[str, ...]:
        """Why the result must not be used, one line each."""
        missing = (f'missing: {key}' for key in self.missing)
        return (*missing, *(f'unknown key: {key}' for key in self.unknown))


class Adapter(ABC):
    """One family of released checkpoints."""

    family: ClassVar[str]
    """Name on the command line and in :data:`ADAPTERS`."""
    licence: ClassVar[str]
    """Licence of the released files, one line."""
    rules: ClassVar[tuple[KeyRule, ...]]
    """The first rule that fits a key counts, in either direction."""
    drops: ClassVar[tuple[Drop, ...]] = ()
    """Looked at before the rules."""
    required: ClassVar[tuple[str, ...]] = ()
    """Templates of our keys; ``{i}``, ``{j}`` and ``{k}`` count from 0 to the largest
    number that any key has there. One without fields must be there as it is."""
    marks: ClassVar[tuple[str, ...]] = ()
    """Templates of released keys, each of which must fit some key of a file of this
    family (and together those of no other family that has marks). Without marks a
    family cannot be told by its keys: it must be named."""

    def matches(self, state: Mapping[str, Any]) -> bool:
        """Whether a file is of this family, by its keys.

        Args:
            state: A state dict, or the content of a checkpoint file.
        """
        keys = state_dict_of(state)
        patterns = [template_pattern(template) for template in self.marks]
        return bool(patterns) and all(
            any(pattern.fullmatch(key) for key in keys) for pattern in patterns
        )

    def from_upstream(self, checkpoint: Mapping[str, Any]) -> Conversion:
        """Brings a released checkpoint to our names.

        Args:
            checkpoint: A state dict, or the content of a checkpoint file.

        Returns:
            The result with an account of every released key. Tensors without an
            operation are shared with the input.

        Raises:
            CheckpointError: No tensors, two keys for one of ours, or a tensor whose
                shape does not allow what its rule does.
        """
        result = Conversion()
        keys = {}
        drops = [(template_pattern(drop.template), drop.reason) for drop in self.drops]
        for key, value in state_dict_of(checkpoint).items():
            reason = next((why for p, why in drops if p.fullmatch(key)), None)
            if reason is None:
                keys[key] = value
            else:
                result.dropped[key] = reason
        moved = _move(self.family, keys, self.rules_for(keys), _TO_OURS)
        result.state, result.mapped = moved.state, moved.mapped
        result.unknown = moved.unknown
        result.missing = (*moved.missing, *self._absent(result.state))
        result.metadata = self.metadata(checkpoint, result.state)
        return result

    def to_upstream(self, state: Mapping[str, Tensor]) -> dict[str, Tensor]:
        """Brings a state dict of ours to the released names.

        Args:
            state: What :meth:`from_upstream` gave, or what was trained since.

        Returns:
            Released key to tensor, without what :meth:`from_upstream` drops.

        Raises:
            CheckpointError: A key has no released name, or only a part of a released
                tensor is there.
        """
        moved = _move(self.family, state, self.rules_for(state), _TO_UPSTREAM)
        if moved.unknown or moved.missing:
            first = (*moved.unknown, *moved.missing)[0]
            raise CheckpointError(
                f'{self.family}: {first!r} '
                + ('has no released name' if moved.unknown else 'is missing')
            )
        return moved.state

    def metadata(
        self, checkpoint: Mapping[str, Any], state: Mapping[str, Tensor]
    ) -> dict[str, Any]:
        """What is written next to the weights; json values only.

        Args:
            checkpoint: The content of the released file.
            state: The weights in our names.
        """
        return dict(family=self.family, licence=self.licence)

    def rules_for(self, keys: Iterable[str]) -> tuple[KeyRule, ...]:
        """Rules for a state dict, where a family has several layouts.

        Args:
            keys: Its keys, released ones or ours.
        """
        return self.rules

    def required_for(self, state: Mapping[str, Tensor]) -> tuple[str, ...]:
        """Required keys for a state dict of ours, where a family has several layouts.

        Args:
            state: The weights in our names.
        """
        return self.required

    def verify(
        self, conversion: Conversion, arch: str | None = None
    ) -> tuple[str, ...]:
        """Compares a conversion with the model that it is for; may add metadata.

        Loading does this anyway, with the model at hand; a file that is written for
        later must be looked at before.

        Args:
            conversion: From :meth:`from_upstream`.
            arch: Architecture, where the tensors alone do not tell it.

        Returns:
            Why the result must not be used, one line each.
        """
        return ()

    def _absent(self, state: Mapping[str, Tensor]) -> list[str]:
        return [
            key
            for template in self.required_for(state)
            for key in _expand(template, state)
            if key not in state
        ]


ADAPTERS: dict[str, Adapter] = {}
"""Every family by name, see :func:`register_adapter`."""


def register_adapter(cls: type[Adapter]) -> type[Adapter]:
    """Class decorator: makes a family known under its name.

    Raises:
        ValueError: The name is taken.
    """
    if cls.family in ADAPTERS:
        raise ValueError(f'there is already an adapter for the family {cls.family!r}')
    ADAPTERS[cls.family] = cls()
    return cls


def detect(state: Mapping[str, Any]) -> Adapter:
    """Finds the family of a checkpoint by its keys.

    Args:
        state: A state dict, or the content of a checkpoint file.

    Raises:
        CheckpointError: No family, or several; names the families.
    """
    found = [adapter for adapter in ADAPTERS.values() if adapter.matches(state)]
    if len(found) == 1:
        return found[0]
    first = next(iter(state_dict_of(state)))
    names = ', '.join(sorted(a.family for a in found) or sorted(ADAPTERS))
    raise CheckpointError(
        f'keys like {first!r} fit '
        + ('several families' if found else 'no known family')
        + f': name one of {names}'
    )


class _Direction(NamedTuple):
    match: Callable[[KeyRule, str], dict[str, str] | None]
    sources: Callable[[KeyRule, Mapping[str, str]], tuple[str, ...]]
    targets: Callable[[KeyRule, Mapping[str, str]], tuple[str, ...]]
    move: Callable[[KeyRule, Sequence[Tensor]], Sequence[Tensor]]


_TO_OURS = _Direction(
    KeyRule.match_upstream, KeyRule.upstream_keys, KeyRule.our_keys, KeyRule.to_ours
)
_TO_UPSTREAM = _Direction(
    KeyRule.match_ours, KeyRule.our_keys, KeyRule.upstream_keys, KeyRule.to_upstream
)


def _move(
    family: str,
    state: Mapping[str, Tensor],
    rules: Sequence[KeyRule],
    direction: _Direction,
) -> Conversion:
    result = Conversion()
    unknown, missing = [], []
    for key in state:
        if key in result.mapped or key in missing:
            continue
        found = ((rule, direction.match(rule, key)) for rule in rules)
        rule, fields = next(((r, f) for r, f in found if f is not None), (None, None))
        if rule is None:
            unknown.append(key)
            continue
        sources = direction.sources(rule, fields)
        targets = direction.targets(rule, fields)
        absent = [source for source in sources if source not in state]
        if absent:
            missing += [source for source in absent if source not in missing]
            continue
        if taken := [target for target in targets if target in result.state]:
            raise CheckpointError(
                f'{family}: {key!r} and another key give {taken[0]!r}'
            )
        try:
            tensors = direction.move(rule, [state[source] for source in sources])
        except ValueError as error:
            raise CheckpointError(f'{family}: {key!r}: {error}') from error
        result.state.update(zip(targets, tensors, strict=True))
        result.mapped.update(dict.fromkeys(sources, targets))
    result.unknown, result.missing = tuple(unknown), tuple(missing)
    return result


def _expand(template: str, state: Mapping[str, Tensor]) -> list[str]:
    """Keys that a required template stands for, given the largest numbers present."""
    for name in ('i', 'j', 'k'):
        field_ = f'{{{name}}}'
        if field_ not in template:
            continue
        prefix = template.partition(field_)[0]
        numbers = (
            key[len(prefix) :].partition('.')[0]
            for key in state
            if key.startswith(prefix)
        )
        count = 1 + max(
            (int(n) for n in numbers if n.isdecimal() and len(n) < 5), default=-1
        )
        filled = (
            template.replace(field_, str(index)) for index in range(max(count, 1))
        )
        return [key for each in filled for key in _expand(each, state)]
    return [template]
