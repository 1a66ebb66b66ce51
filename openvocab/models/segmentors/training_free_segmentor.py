"""Segmentation by an encoder alone.

Call graph::

    predict -> inference(images) -> encode_decode per view -> cosines of queries
                                 -> QueryScores per image  -> label map in tiles
"""

from torch import Tensor, nn

from openvocab.registry import MODELS
from openvocab.vocab import Vocabulary
from openvocab.vocab.vocabulary import VocabularySource

from .background import background_for
from .class_scores import ClassScores
from .inference import Inference
from .ov_segmentor import OVSegmentor
from .query_scores import QueryScores


@MODELS.register_module()
class TrainingFreeSegmentor(OVSegmentor):
    """Labels pixels by the cosine of dense tokens and text rows; nothing is trained.

    ::

        cosines per window, resized to its pixels -> averaged where windows overlap
        -> resized to the image -> softmax over all queries -> largest per class
        -> classes of a small area left out -> best class -> background where unsure

    Args:
        backbone: A ``CLIPBackbone`` or its config; its readout is what methods differ
            in.
        text_bank: A ``TextBank`` or its config; with ``all_synonyms`` every synonym is
            a query of its class.
        decode_head: A head without parameters.
        inference: Config of an :class:`Inference`; for windows,
            ``dict(type='openvocab.SlideAndGlobalInference', canvas=None,
            global_weight=0, crop=.., stride=..)``.
        logit_scale: Factor on cosines in the softmax. It changes no label by itself,
            only what ``prob_thd`` means.
        area_thd: Classes that are best on no larger share of an image's foreground are
            left out, and their pixels go to the next best. It needs a class
            ``background``, which it leaves alone.
        **kwargs: The other arguments of :class:`OVSegmentor`, e.g. ``prob_thd``.

    Raises:
        ValueError: See :class:`OVSegmentor`; or ``area_thd`` is given for a vocabulary
            without a background.

    Source: the evaluation protocol that SCLIP's public code introduced and ClearCLIP,
    ProxyCLIP and DeCLIP follow. There a batch is one image, windows are square, and
    memory holds the probabilities of all queries at full size.
    """

    def __init__(
        self,
        backbone: dict | nn.Module,
        text_bank: dict | nn.Module,
        decode_head: dict | nn.Module = dict(type='openvocab.CosineHead'),  # noqa: B006
        inference: dict | Inference = dict(type='openvocab.WholeInference'),  # noqa: B006
        logit_scale: float = 40.0,
        area_thd: float | None = None,
        **kwargs,
    ) -> None:
        super().__init__(backbone, text_bank, decode_head, inference, **kwargs)
        self.logit_scale = logit_scale
        self.area_thd = area_thd
        self._spared = self._find_spared(self.text_bank.vocabulary)

    def set_vocabulary(self, source: VocabularySource) -> None:
        """Exchanges the classes, at any time and for any number of them.

        Args:
            source: Anything that :meth:`openvocab.vocab.Vocabulary.load` takes.
        """
        vocabulary = Vocabulary.load(source)
        spared = self._find_spared(vocabulary)
        super().set_vocabulary(vocabulary)
        self._spared = spared

    def class_scores(self, images: list[Tensor]) -> list[ClassScores]:
        """Scores of B images (3, H_i, W_i), normalised and without padding."""
        return [
            QueryScores(
                cosines,
                self.text_bank.class_of,
                self.logit_scale,
                self.area_thd,
                self._spared,
                with_probabilities=self.prob_thd is not None,
            )
            for cosines in super().class_scores(images)
        ]

    def _find_spared(self, vocabulary: Vocabulary) -> int | None:
        """The class that no area is too small for."""
        return background_for(vocabulary, area_thd=self.area_thd)
