"""The vocabulary that a data set's metainfo describes."""

from collections.abc import Mapping
from typing import Any

from openvocab.vocab.vocabulary import Vocabulary


def vocabulary_of(metainfo: Mapping[str, Any]) -> Vocabulary:
    """Builds the vocabulary that labels of a data set index.

    Args:
        metainfo: ``classes``; where they exist, ``synonyms`` and ``splits`` (one item
            per class), or ``base_classes`` and ``novel_classes`` instead of splits, as
            data sets of mmdet have them.

    Raises:
        KeyError: There are no classes.
        VocabularyError: The classes are ambiguous.
    """
    if not metainfo.get('classes'):
        raise KeyError(
            "the data set's metainfo has no 'classes', which its metric needs; use a "
            'data set of openvocab'
        )
    names = metainfo['classes']
    listed = {
        name: split
        for split in ('base', 'novel')
        for name in metainfo.get(f'{split}_classes') or ()
    }
    splits = metainfo.get('splits') or [listed.get(name) for name in names]
    synonyms = metainfo.get('synonyms') or [()] * len(names)
    entries = [
        dict(name=name, synonyms=list(phrases), split=split)
        for name, phrases, split in zip(names, synonyms, splits, strict=True)
    ]
    name = (metainfo.get('vocab') or {}).get('name', 'the data set')
    return Vocabulary.load(dict(name=name, classes=entries))
