"""Which classes a model was trained on, decided by what they are called.

This is wider than :meth:`Vocabulary.overlap`, by which two classes are one label: there
COCO's ``couch`` and ADE20K's ``sofa`` are two, here whoever has learned one of them
knows the other.
"""

from .class_entry import ClassEntry, normalized_key
from .vocabulary import Vocabulary


class TrainedClasses:
    """The classes of a model's training, base and novel.

    Other vocabularies are compared with them by name and synonyms; what splits of their
    own say was true for another model.

    Args:
        vocabulary: What the model was built with. A class that no split calls novel
            was trained on.
    """

    def __init__(self, vocabulary: Vocabulary) -> None:
        self.vocabulary = vocabulary
        self._novel: dict[str, bool] = {}
        # names first: a class may have the name of another one among its synonyms
        for phrases_of in (_name, _prompt_name, _all_phrases):
            for entry, novel in zip(
                vocabulary.classes, vocabulary.is_novel, strict=True
            ):
                for phrase in phrases_of(entry):
                    self._novel.setdefault(normalized_key(phrase), novel)

    def novel(self, vocabulary: Vocabulary) -> tuple[bool, ...]:
        """Which classes training has not shown, one flag per class.

        A class has the flag of the trained class that is called like it: by its name,
        else by the first of its synonyms that one is called by. Any synonym of a
        trained class counts. A class that is called like none of them is novel.
        """
        if vocabulary.hash == self.vocabulary.hash:
            return self.vocabulary.is_novel
        return tuple(map(self._is_novel, vocabulary.classes))

    def _is_novel(self, entry: ClassEntry) -> bool:
        keys = map(normalized_key, _all_phrases(entry))
        return next((self._novel[key] for key in keys if key in self._novel), True)


def _name(entry: ClassEntry) -> tuple[str, ...]:
    return (entry.name,)


def _prompt_name(entry: ClassEntry) -> tuple[str, ...]:
    return (entry.prompt_name,)


def _all_phrases(entry: ClassEntry) -> tuple[str, ...]:
    return entry.phrases
