"""What makes a list of classes unambiguous, and how a merge keeps it so."""

from collections.abc import Hashable, Sequence
from dataclasses import replace

from .class_entry import ClassEntry, VocabularyError, clean_phrase


def check_classes(classes: Sequence[ClassEntry], vocabulary: str) -> None:
    """Raises if the list is empty, repeats a class, or has an ambiguous phrase.

    Args:
        classes: Classes of a vocabulary.
        vocabulary: Its name, for the message.

    Raises:
        VocabularyError: Names both classes and what they share.
    """
    if not classes:
        raise VocabularyError(f'vocabulary {vocabulary!r} is empty')
    owners: dict[tuple[str, Hashable], int] = {}

    def claim(kind: str, value: Hashable, position: int, message: str) -> None:
        owner = owners.setdefault((kind, value), position)
        if owner != position:
            raise VocabularyError(
                f'vocabulary {vocabulary!r}: {message} '
                f'{classes[owner].name!r} (position {owner})'
            )

    for i, entry in enumerate(classes):
        this = f'class {entry.name!r} (position {i})'
        claim('name', clean_phrase(entry.name), i, f'duplicate: {this} repeats')
        claim('id', entry.id, i, f'{this} has the id {entry.id} of')
        claim('key', entry.key, i, f'duplicate: {this} means {entry.key!r}, as does')
    for i, entry in enumerate(classes):
        for phrase in entry.phrases:
            this = f'synonym clash: {phrase!r} stands for {entry.name!r} (position {i})'
            claim('phrase', phrase, i, f'{this} and for')


def drop_clashing_synonyms(classes: Sequence[ClassEntry]) -> tuple[ClassEntry, ...]:
    """Makes the concatenation of several class lists unambiguous.

    Names and prompt names are kept. A further synonym is kept unless it is the name
    or prompt name of another class, or a kept synonym of an earlier one.

    Returns:
        tuple[ClassEntry]: The same classes with ids counted from 0.
    """
    owners: dict[str, int] = {}
    for i, entry in enumerate(classes):
        owners.setdefault(clean_phrase(entry.name), i)
        owners.setdefault(clean_phrase(entry.prompt_name), i)
    result = []
    for i, entry in enumerate(classes):
        kept = {clean_phrase(entry.prompt_name): entry.prompt_name}
        for synonym in entry.synonyms[1:]:
            phrase = clean_phrase(synonym)
            if owners.setdefault(phrase, i) == i:
                kept.setdefault(phrase, synonym)
        result.append(replace(entry, id=i, synonyms=tuple(kept.values())))
    return tuple(result)
