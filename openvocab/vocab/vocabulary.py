"""Vocabulary: the ordered, immutable list of classes that a model can name.

Class files (``openvocab/vocab/classes/*.json``, or any file of yours) hold::

    {
      "name": "my_classes",
      "source": "where the list comes from, in words",
      "classes": [
        {"id": 1, "name": "tree-merged", "synonyms": ["tree"], "is_thing": false,
         "split": null, "color": [40, 160, 40]}
      ]
    }

Per class only ``name`` is required. ``name`` is the key that annotation files use,
and labels are mapped by it; the first of ``synonyms`` is the phrase for prompts
(default: the name); ``id`` defaults to the position, ``is_thing`` to true, ``split``
(base/novel, seen/unseen, r/c/f) and ``color`` (RGB, 0-255) to null. The order of the
list is the order of labels and text rows.

A class file may also be another packaged vocabulary with other prompts::

    {"name": "my_prompts", "of": "pascal_voc_20", "prompts": {"tvmonitor": "tv"}}

**Equal classes.** ``merge`` and ``overlap`` take two classes for the same if their
names are equal or their keys are. The key is the normalised prompt name: lower case,
``-`` and ``_`` to a blank, suffixes ``-merged``, ``-other`` and ``-stuff`` dropped. So
COCO's ``wall-brick`` (prompt ``brick wall``) and ADE20K's ``wall`` differ, COCO's
``wall-other-merged`` and ADE20K's ``wall`` agree. Synonyms beyond the first do not
count: COCO's ``couch`` and ADE20K's ``sofa`` stay two classes.

Merging ``coco_stuff_171`` with ``ade20k_150`` by this rule gives 260 classes (141
things, 119 stuff); 61 classes are in both lists, and for 18 of them, such as ``window``
or ``curtain``, COCO says stuff where ADE20K says thing. The first vocabulary of a merge
decides, so the order matters: the other way round gives 159 + 101. The DenseVLM paper
reports 316 (204 + 112) for its merge of the same two lists and does not publish its
rule; its 204 things exceed the 180 that the official flags of both lists allow at most.
"""

import hashlib
import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from difflib import get_close_matches
from functools import cached_property
from itertools import compress
from pathlib import Path
from typing import Any, Union

from .class_entry import ClassEntry, UnknownClassError, VocabularyError, clean_phrase
from .class_files import list_vocabularies, packaged_file, read_class_file
from .consistency import check_classes, drop_clashing_synonyms
from .palette import fill_palette

__all__ = ['Vocabulary', 'VocabularySource', 'list_vocabularies']

VocabularySource = Union[str, Path, Sequence, Mapping, 'Vocabulary']
# r, c, f are LVIS's frequency groups; its rare classes are the novel ones
_BASE_SPLITS = ('base', 'seen', 'c', 'f')
_NOVEL_SPLITS = ('novel', 'unseen', 'r')
_SUBSET_CONDITIONS = ('names', 'split', 'is_thing')


@dataclass(frozen=True)
class Vocabulary:
    """Immutable list of classes; build it with :meth:`load`.

    Attributes:
        name: Name of the vocabulary, for reports.
        classes: The classes, in the order of labels and text rows.

    Raises:
        VocabularyError: The list is empty, two classes have the same name, key or id,
            or a synonym of one class is a name or synonym of another.
    """

    name: str
    classes: tuple[ClassEntry, ...]

    def __post_init__(self) -> None:
        object.__setattr__(self, 'classes', tuple(self.classes))
        check_classes(self.classes, self.name)

    @classmethod
    def load(cls, source: VocabularySource) -> 'Vocabulary':
        """Loads a vocabulary.

        Args:
            source: Name of a packaged vocabulary; path to a json file (must end in
                ``.json``); list of names or of class mappings; mapping with ``merge``
                (list of sources), ``subset`` (a source, beside it the conditions
                ``names``, ``split``, ``is_thing`` of :meth:`subset`) or ``classes``
                (list), each with an optional ``name``; or a Vocabulary, which is
                returned as it is.

        Returns:
            Vocabulary: The loaded vocabulary.

        Raises:
            FileNotFoundError: The json file does not exist.
            VocabularyError: Anything else that is wrong with the source.
        """
        if isinstance(source, cls):
            return source
        if isinstance(source, (str, Path)):
            is_path = isinstance(source, Path) or source.endswith('.json')
            path = Path(source) if is_path else packaged_file(str(source))
            content = read_class_file(path)
            try:
                return cls._from_list(content['classes'], content['name'])
            except VocabularyError as error:
                raise VocabularyError(f'{path}: {error}') from None
        if isinstance(source, Mapping):
            return cls._from_mapping(source)
        if isinstance(source, Sequence) and not isinstance(source, bytes):
            return cls._from_list(source, 'custom')
        raise VocabularyError(
            'a vocabulary is a packaged name, a json path, a list of names, or a dict '
            f'with `merge`, `subset` or `classes`; got {source!r}'
        )

    @classmethod
    def _from_list(cls, items: Iterable[Any], name: str) -> 'Vocabulary':
        classes = tuple(ClassEntry.parse(item, i) for i, item in enumerate(items))
        return cls(name, classes)

    @classmethod
    def _from_mapping(cls, source: Mapping) -> 'Vocabulary':
        kinds = [key for key in ('merge', 'subset', 'classes') if key in source]
        allowed = (*kinds, 'name')
        if kinds == ['subset']:
            allowed += _SUBSET_CONDITIONS
        if len(kinds) != 1 or any(key not in allowed for key in source):
            raise VocabularyError(
                'a vocabulary given as a dict holds one of `merge`, `subset` (with '
                f'{", ".join(_SUBSET_CONDITIONS)}) and `classes`, and optionally '
                f'`name`; got the keys {", ".join(map(str, source))}'
            )
        key = kinds[0]
        if key == 'subset':
            conditions = {k: source[k] for k in source if k != 'subset'}
            return cls.load(source['subset']).subset(**conditions)
        items = source[key]
        if not isinstance(items, Sequence) or isinstance(items, (str, bytes)):
            raise VocabularyError(f'`{key}` of a vocabulary is a list, got {items!r}')
        if key == 'classes':
            return cls._from_list(items, source.get('name', 'custom'))
        if not items:
            raise VocabularyError('`merge` of a vocabulary is an empty list')
        first, *others = (cls.load(item) for item in items)
        return first.merge(*others, name=source.get('name'))

    def __len__(self) -> int:
        return len(self.classes)

    def __repr__(self) -> str:
        things = sum(self.is_thing)
        return (
            f'Vocabulary({self.name!r}, {len(self)} classes, {things} things, '
            f'hash={self.hash})'
        )

    @cached_property
    def names(self) -> tuple[str, ...]:
        """Class names as annotation files write them."""
        return tuple(entry.name for entry in self.classes)

    @cached_property
    def prompt_names(self) -> tuple[str, ...]:
        """The phrase of each class that is put into prompts."""
        return tuple(entry.prompt_name for entry in self.classes)

    @cached_property
    def synonyms(self) -> tuple[tuple[str, ...], ...]:
        """All phrases of each class, the prompt name first."""
        return tuple(entry.synonyms for entry in self.classes)

    @cached_property
    def is_thing(self) -> tuple[bool, ...]:
        """Whether each class is a thing."""
        return tuple(entry.is_thing for entry in self.classes)

    @cached_property
    def splits(self) -> tuple[str | None, ...]:
        """Split of each class, None where it has none."""
        return tuple(entry.split for entry in self.classes)

    @cached_property
    def is_base(self) -> tuple[bool, ...]:
        """Whether each class may have boxes in training: split base, seen, c or f."""
        return tuple(split in _BASE_SPLITS for split in self.splits)

    @cached_property
    def is_novel(self) -> tuple[bool, ...]:
        """Whether each class is held out of training: split novel, unseen or r."""
        return tuple(split in _NOVEL_SPLITS for split in self.splits)

    @cached_property
    def hash(self) -> str:
        """Content hash, 16 hex digits: names, synonyms, thing flags, splits, order."""
        content = [(e.name, e.synonyms, e.is_thing, e.split) for e in self.classes]
        text = json.dumps(content, ensure_ascii=True, separators=(',', ':'))
        return hashlib.sha256(text.encode()).hexdigest()[:16]

    @cached_property
    def _positions(self) -> dict[str, int]:
        return {p: i for i, entry in enumerate(self.classes) for p in entry.phrases}

    def index(self, name: str) -> int:
        """Position of a class.

        Args:
            name: Name or synonym; case and outer blanks do not matter.

        Raises:
            UnknownClassError: No class has this name.
        """
        position = self.find(name)
        if position is None:
            close = get_close_matches(clean_phrase(name), self._positions, n=1)
            hint = f'; did you mean {close[0]!r}?' if close else ''
            raise UnknownClassError(
                f'class {name!r} is not in vocabulary {self.name!r}{hint}'
            )
        return position

    def find(self, name: str) -> int | None:
        """Position of a class as :meth:`index` finds it; None if there is none."""
        return self._positions.get(clean_phrase(name))

    def in_splits(self, splits: Sequence[str]) -> tuple[bool, ...]:
        """Whether each class is of one of the splits.

        Raises:
            VocabularyError: No class is of one of the splits, or none is named.
        """
        existing = {split for split in self.splits if split is not None}
        if not splits or not existing.issuperset(splits):
            raise VocabularyError(
                f'splits={list(splits)}: vocabulary {self.name!r} has the splits '
                f'{sorted(existing)}'
            )
        return tuple(split in splits for split in self.splits)

    def subset(
        self,
        names: Iterable[str] | None = None,
        *,
        split: str | None = None,
        is_thing: bool | None = None,
        name: str | None = None,
    ) -> 'Vocabulary':
        """Chooses classes; the conditions are combined with "and".

        Args:
            names: Names or synonyms; the subset has their order.
            split: Keep the classes of this split.
            is_thing: Keep things (True) or stuff (False).
            name: Name of the subset; by default it states the conditions.

        Raises:
            UnknownClassError: A name is not in the vocabulary.
            VocabularyError: Nothing is left, or a name is given twice.
        """
        chosen = self.classes
        stated = []
        if names is not None:
            chosen = tuple(self.classes[self.index(item)] for item in names)
            stated.append(f'{len(chosen)} names')
        if split is not None:
            chosen = tuple(entry for entry in chosen if entry.split == split)
            stated.append(f'split={split}')
        if is_thing is not None:
            chosen = tuple(entry for entry in chosen if entry.is_thing == is_thing)
            stated.append(f'is_thing={is_thing}')
        return Vocabulary(name or f'{self.name}[{", ".join(stated)}]', chosen)

    def overlap(self, other: VocabularySource) -> tuple[bool, ...]:
        """Which classes of this vocabulary are also in ``other`` (see the module)."""
        other = Vocabulary.load(other)
        keys = {entry.key for entry in other.classes}
        names = {clean_phrase(entry.name) for entry in other.classes}
        return tuple(
            entry.key in keys or clean_phrase(entry.name) in names
            for entry in self.classes
        )

    def merge(self, *others: VocabularySource, name: str | None = None) -> 'Vocabulary':
        """Appends the classes of other vocabularies that this one lacks.

        Equal classes (see the module) become one: the name, prompt name, thing flag,
        split and colour of the first win, and the names and synonyms of the later
        ones are added as synonyms, so that labels written in any of the merged lists
        are found. An added or kept synonym gives way to a class of that name, and to
        the same synonym of an earlier class. Ids are counted anew from 0.

        Args:
            others: Sources of the vocabularies to add, in order.
            name: Name of the result; by default the names joined with ``+``.

        Returns:
            Vocabulary: The union, in order of first appearance.
        """
        merged: list[ClassEntry] = list(self.classes)
        labels = [self.name]
        for other in map(Vocabulary.load, others):
            labels.append(other.name)
            by_key = {entry.key: i for i, entry in enumerate(merged)}
            by_name = {clean_phrase(entry.name): i for i, entry in enumerate(merged)}
            for entry in other.classes:
                at = by_key.get(entry.key, by_name.get(clean_phrase(entry.name)))
                if at is None:
                    merged.append(entry)
                else:
                    both = (*merged[at].synonyms, *entry.synonyms, entry.name)
                    merged[at] = replace(merged[at], synonyms=both)
        return Vocabulary(name or '+'.join(labels), drop_clashing_synonyms(merged))

    def metainfo(self) -> dict[str, Any]:
        """Metainfo of a data set labelled with this vocabulary.

        Returns:
            dict: ``classes`` (names), ``synonyms``, ``is_thing`` and ``splits`` (one
            item per class), ``base_classes`` and ``novel_classes`` (names of the
            classes for which ``is_base``, ``is_novel`` holds), ``palette`` (RGB per
            class) and ``vocab`` (``name`` and ``hash``).
        """
        return dict(
            classes=self.names,
            synonyms=self.synonyms,
            is_thing=self.is_thing,
            splits=self.splits,
            base_classes=tuple(compress(self.names, self.is_base)),
            novel_classes=tuple(compress(self.names, self.is_novel)),
            palette=fill_palette(self.names, (entry.color for entry in self.classes)),
            vocab=dict(name=self.name, hash=self.hash),
        )
