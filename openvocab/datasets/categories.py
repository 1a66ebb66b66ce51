"""Categories of annotation files, looked up by name in a vocabulary."""

from collections.abc import Hashable, Iterable, Mapping
from typing import Any

from mmengine.logging import print_log

from openvocab.vocab.class_entry import UnknownClassError
from openvocab.vocab.vocabulary import Vocabulary

ENTRY_IDS = (int, str)
_SHOWN = 8


def category_labels(
    categories: Iterable[Mapping[str, Any]],
    vocabulary: Vocabulary,
    path: str,
    drop_unknown: Any = None,
) -> dict[Hashable, int]:
    """Finds the label of each category by its name or synonym.

    Args:
        categories: Entries with ``id`` and ``name``.
        vocabulary: The classes that labels index.
        path: The file, for messages.
        drop_unknown: Names of categories outside the vocabulary that are left out on
            purpose: a list, or anything else :meth:`Vocabulary.load` takes.

    Returns:
        dict: Category id -> label, for the categories that are in the vocabulary.

    Raises:
        ValueError: A category has no id or name, or is listed twice.
        UnknownClassError: A category is neither in the vocabulary nor dropped.
    """
    dropped = Vocabulary.load(drop_unknown) if drop_unknown else None
    labels: dict[Hashable, int] = {}
    ids = set()
    for position, category in enumerate(categories):
        number = entry_id(category, 'category', position, path)
        name = category.get('name')
        if number in ids or not isinstance(name, str):
            problem = 'is listed twice' if number in ids else 'has no name'
            raise ValueError(f'{path}: category {number} {problem}')
        ids.add(number)
        label = vocabulary.find(name)
        if label is not None:
            labels[number] = label
        elif dropped is None or dropped.find(name) is None:
            raise UnknownClassError(
                f'{path}: category {name!r} is not in the vocabulary '
                f'{vocabulary.name!r}; name it in drop_unknown to leave it out'
            )
    return labels


def report_absent(
    labels: Mapping[Hashable, int], vocabulary: Vocabulary, path: str
) -> None:
    """Logs in one line the classes that no category stands for, if there are any."""
    absent = absent_classes(labels, vocabulary)
    if absent:
        print_log(f'{path}: {absent}', logger='current')


def absent_classes(labels: Mapping[Hashable, int], vocabulary: Vocabulary) -> str:
    """Says which classes no category stands for; empty if all have one."""
    absent = set(range(len(vocabulary))).difference(labels.values())
    if not absent:
        return ''
    names = [vocabulary.names[label] for label in sorted(absent)]
    more = f' and {len(names) - _SHOWN} more' if len(names) > _SHOWN else ''
    return (
        f'no category for {len(names)} of the {len(vocabulary)} classes of '
        f'{vocabulary.name!r}: {", ".join(names[:_SHOWN])}{more}'
    )


def entry_id(entry: Any, kind: str, position: int, path: str) -> Hashable:
    """Takes the id of an entry.

    Raises:
        ValueError: It has none, or is no mapping.
    """
    number = entry.get('id') if isinstance(entry, Mapping) else None
    if not isinstance(number, ENTRY_IDS):
        raise ValueError(
            f'{path}: {kind} at position {position} has no id: {_shortened(entry)}'
        )
    return number


def _shortened(entry: Any) -> str:
    text = repr(entry)
    return text if len(text) <= 200 else f'{text[:200]}...'
