"""Which classes of a vocabulary are trained, and what labels mean to a loss."""

import torch
from torch import Tensor, nn

from openvocab.models.losses.ov_bce_loss import HELD_OUT, IGNORED
from openvocab.vocab import Vocabulary
from openvocab.vocab.ignored_label import default_ignore_index


class TrainingLabels(nn.Module):
    """From labels of a vocabulary to rows of what is trained.

    Classes that the vocabulary calls novel or unseen are held out: they have no row in
    training, neither as a right nor as a wrong answer, and no loss looks at their
    pixels, unlike those without a class, which some take for negatives.

    Args:
        vocabulary: The classes, in the order of labels and text rows.

    Attributes:
        ignore_index: Label of ignored pixels in data sets of this vocabulary.
        rows: (n,) int64, the classes that are trained.
        table: From a label to a position in ``rows``, :data:`HELD_OUT` or
            :data:`IGNORED`.
    """

    rows: Tensor
    table: Tensor

    def __init__(self, vocabulary: Vocabulary) -> None:
        super().__init__()
        self.vocabulary = vocabulary
        self.ignore_index = default_ignore_index(len(vocabulary))
        trained = ~torch.tensor(vocabulary.is_novel)
        (rows,) = trained.nonzero(as_tuple=True)
        # A label that is no class gets a position that no row has.
        table = torch.full((self.ignore_index + 1,), len(rows))
        table[: len(vocabulary)] = HELD_OUT
        table[rows] = torch.arange(len(rows))
        table[self.ignore_index] = IGNORED
        self.register_buffer('rows', rows, persistent=False)
        self.register_buffer('table', table, persistent=False)

    def select(self, text: Tensor) -> Tensor:
        """Rows of the classes that are trained, (K, ..) to (n, ..).

        Raises:
            ValueError: There are none.
        """
        if len(self.rows) == 0:
            raise ValueError(
                f'vocabulary {self.vocabulary.name!r} has only novel or unseen '
                'classes: nothing can be trained'
            )
        return text if len(self.rows) == len(text) else text[self.rows]

    def forward(self, labels: Tensor) -> Tensor:
        """Maps labels.

        Args:
            labels: (..) integers.

        Returns:
            (..) int64, positions in ``rows``, :data:`HELD_OUT` or :data:`IGNORED`.

        Raises:
            ValueError: A label is neither a class nor ignored. On a GPU, where looking
                would stop the host, the loss fails on it instead.
        """
        labels = labels.long()
        if labels.device.type == 'cpu':
            known = labels == self.ignore_index
            known |= (labels >= 0) & (labels < len(self.vocabulary))
            if not known.all():
                raise ValueError(
                    f'label {labels[~known][0].item()} is neither a class of '
                    f'vocabulary {self.vocabulary.name!r} ({len(self.vocabulary)} '
                    f'classes) nor ignored ({self.ignore_index})'
                )
        return self.table[labels]
