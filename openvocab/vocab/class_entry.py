"""One class of a vocabulary, and the rule that says when two classes are the same."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

# What the class is called that stands for everything without a name.
BACKGROUND = 'background'

_FIELDS = ('id', 'name', 'synonyms', 'is_thing', 'split', 'color')
_LABEL_SUFFIXES = re.compile(r'(?:[-_](?:merged|other|stuff))+$')
_SEPARATORS = re.compile(r'[-_\s]+')


class VocabularyError(ValueError):
    """A vocabulary or prompt set that cannot be used; the message names the culprit."""


class UnknownClassError(VocabularyError, KeyError):
    """A class name that the vocabulary does not contain."""

    def __str__(self) -> str:
        # KeyError would print the repr of the message.
        return str(self.args[0])


def clean_phrase(phrase: str) -> str:
    """Lower-cases and strips a phrase; this is how names are compared in look-ups."""
    return ' '.join(phrase.lower().split())


def normalized_key(phrase: str) -> str:
    """Key under which two vocabularies are compared.

    Lower case; the suffixes ``-merged``, ``-other`` and ``-stuff`` that COCO appends
    to labels are dropped (only with their hyphen or underscore, so ``kitchen stuff``
    stays); hyphens, underscores and blanks become one blank.
    """
    phrase = clean_phrase(phrase)
    shortened = _LABEL_SUFFIXES.sub('', phrase) or phrase
    return _SEPARATORS.sub(' ', shortened).strip() or phrase


@dataclass(frozen=True)
class ClassEntry:
    """One class.

    Attributes:
        id: Category id in the annotation files of the vocabulary's data set.
        name: The key that annotation files use, e.g. ``tree-merged``.
        synonyms: Phrases for prompts, the best one first, e.g. ``('tree',)``. Never
            empty: without any, it is ``(name,)``.
        is_thing: True for countable objects, False for stuff.
        split: Free label such as base/novel, seen/unseen, r/c/f, or None.
        color: RGB, 0-255, or None (a colour is then generated).
    """

    id: int
    name: str
    synonyms: tuple[str, ...] = ()
    is_thing: bool = True
    split: str | None = None
    color: tuple[int, int, int] | None = None

    def __post_init__(self) -> None:
        where = f'class {self.name!r}'
        if not isinstance(self.name, str) or not self.name.strip():
            raise VocabularyError(f'{where}: `name` must be a non-empty string')
        _check(_is_int(self.id), where, 'id', 'an integer', self.id)
        listed = isinstance(self.synonyms, (list, tuple)) and all(
            isinstance(phrase, str) and phrase.strip() for phrase in self.synonyms
        )
        _check(listed, where, 'synonyms', 'a list of non-empty strings', self.synonyms)
        thing = isinstance(self.is_thing, bool)
        _check(thing, where, 'is_thing', 'true or false', self.is_thing)
        split = self.split is None or isinstance(self.split, str)
        _check(split, where, 'split', 'a string or null', self.split)
        color = self.color is None or _is_color(self.color)
        _check(color, where, 'color', 'three integers of 0-255', self.color)
        name = self.name.strip()
        synonyms = tuple(phrase.strip() for phrase in self.synonyms) or (name,)
        object.__setattr__(self, 'name', name)
        object.__setattr__(self, 'synonyms', synonyms)
        if self.color is not None:
            object.__setattr__(self, 'color', tuple(self.color))

    @classmethod
    def parse(cls, item: Any, position: int) -> 'ClassEntry':
        """Builds an entry from a name, a mapping (a json object) or an entry.

        Args:
            item: What the class list holds at ``position``.
            position: Position in the list; the id of an item that has none.

        Raises:
            VocabularyError: The item has the wrong type, lacks ``name``, or holds an
                unknown key or a value of the wrong type.
        """
        if isinstance(item, cls):
            return item
        if isinstance(item, str):
            return cls(id=position, name=item)
        if not isinstance(item, Mapping):
            raise VocabularyError(
                f'class at position {position}: expected a name or a mapping with '
                f'`name`, got {item!r}'
            )
        if 'name' not in item:
            raise VocabularyError(f'class at position {position}: `name` is missing')
        unknown = [key for key in item if key not in _FIELDS]
        if unknown:
            raise VocabularyError(
                f'class {item["name"]!r}: unknown key {unknown[0]!r}; '
                f'the keys are {", ".join(_FIELDS)}'
            )
        return cls(**{'id': position, **item})

    @property
    def prompt_name(self) -> str:
        """The phrase put into prompts: the first synonym."""
        return self.synonyms[0]

    @property
    def key(self) -> str:
        """Normalised prompt name; equal keys mean the same class."""
        return normalized_key(self.prompt_name)

    @property
    def phrases(self) -> tuple[str, ...]:
        """Every cleaned phrase that means this class: the name and its synonyms."""
        return tuple(dict.fromkeys(map(clean_phrase, (self.name, *self.synonyms))))


def _check(valid: bool, where: str, field: str, expected: str, value: Any) -> None:
    if not valid:
        raise VocabularyError(f'{where}: `{field}` must be {expected}, got {value!r}')


def _is_int(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool)


def _is_color(value: Any) -> bool:
    return (
        isinstance(value, (list, tuple))
        and len(value) == 3
        and all(_is_int(v) and 0 <= v <= 255 for v in value)
    )
