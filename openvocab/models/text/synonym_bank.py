"""Text rows with the synonyms of a class kept apart."""

from collections.abc import Sequence

import torch
from torch import Tensor

from openvocab.registry import MODELS
from openvocab.vocab import Vocabulary
from openvocab.vocab.vocabulary import VocabularySource

from .text_bank import TextBank


@MODELS.register_module()
class SynonymBank(TextBank):
    """(Q, D) float32 unit rows: one per class and synonym, without gradient.

    For training-free segmentation, where a class is as good as the best of its queries:
    ``sofa`` and ``couch`` are two queries of one class, and ``background`` may be a
    list of words. Everything else is as in :class:`TextBank`.

    Attributes:
        rows: (Q, D) float32, classes in order, a class's synonyms in order.
        class_of: (Q,) int64, the class that each row speaks for.
    """

    class_of: Tensor

    def set_vocabulary(self, vocabulary: VocabularySource) -> None:
        """Replaces the classes; the rows stay on the device where they are.

        Args:
            vocabulary: Anything that :meth:`openvocab.vocab.Vocabulary.load` takes.
        """
        super().set_vocabulary(vocabulary)
        counts = torch.tensor([len(phrases) for phrases in self.vocabulary.synonyms])
        with torch.inference_mode(False):
            class_of = torch.arange(len(counts)).repeat_interleave(counts)
            class_of = class_of.to(self.rows.device)
        self.register_buffer('class_of', class_of, persistent=False)

    def _phrases(self, vocabulary: Vocabulary) -> Sequence[str]:
        return [phrase for phrases in vocabulary.synonyms for phrase in phrases]
