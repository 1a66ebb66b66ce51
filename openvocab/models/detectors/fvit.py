"""F-ViT: a two-stage detector on a frozen CLIP, with text as its classifier.

Call graph::

    extract_feat   backbone -> taps -> pyramid -> neck -> P2..P6
                            -> dense (dropped in training) --------> DenseFeatures
    loss           TwoStageDetector.loss(P2..P6)
    predict        samples of one vocabulary -> TwoStageDetector.predict
                     rpn_head -> proposals -> FViTRoIHead (fuses scores) -> names

Shapes: B images, K classes, D width of the joint space.
"""

from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from itertools import compress
from typing import Any

import torch
from mmdet.models import TwoStageDetector
from mmdet.structures import DetDataSample
from torch import Tensor, nn

from openvocab.models.building import build_module, build_text_bank
from openvocab.models.roi_heads.fvit_roi_head import DenseFeatures
from openvocab.registry import MODELS
from openvocab.vocab import Vocabulary
from openvocab.vocab.trained_classes import TrainedClasses
from openvocab.vocab.vocabulary import VocabularySource

from . import encoder_wiring as wiring

Detections = list[DetDataSample]


@MODELS.register_module()
class FViT(TwoStageDetector):
    """Detects classes given as text, whether boxes of them were seen or not.

    Widths, strides and statistics that follow from the encoder are filled in
    (:mod:`.encoder_wiring`); exchanging ``backbone`` is enough to exchange the encoder.

    A data sample may carry metainfo ``vocabulary``: it is then searched for those
    classes instead of the model's. Predictions carry ``label_names`` beside ``labels``;
    :class:`~openvocab.visualization.det_visualizer.DetVisualizer` draws them.

    Args:
        backbone: Config of a ``CLIPBackbone`` with ``out_indices``: the taps.
        text_bank: Config of a ``TextBank``; without ``encoder`` the text tower of the
            backbone's CLIP. Its vocabulary's splits say which classes are novel.
        neck: Config of mmdet's FPN.
        rpn_head: Config of an mmdet RPN.
        roi_head: Config of a :class:`FViTRoIHead`.
        pyramid: Config of a :class:`ViTPyramid`; None for encoders whose taps are of
            several scales (ResNet, ConvNeXt).
        background: Phrase whose text row stands for the background.
        train_cfg: See mmdet.
        test_cfg: See mmdet.
        data_preprocessor: mmdet's; by default with the CLIP's own statistics.
        init_cfg: See mmengine's ``BaseModule``.

    Attributes:
        dataset_meta: Metainfo of the current classes.

    Source: F-ViT of CLIPSelf (ICLR 2024), section 4.3 and appendix.
    """

    def __init__(
        self,
        backbone: dict | nn.Module,
        text_bank: dict | nn.Module,
        neck: dict,
        rpn_head: dict,
        roi_head: dict,
        pyramid: dict | None = dict(type='openvocab.ViTPyramid'),  # noqa: B006
        background: str = 'background',
        train_cfg: dict | None = None,
        test_cfg: dict | None = None,
        data_preprocessor: dict | None = None,
        init_cfg: dict | list[dict] | None = None,
    ) -> None:
        encoder = build_module(backbone)
        if not encoder.out_indices:
            raise ValueError(
                'backbone.out_indices is empty: F-ViT taps four blocks of its encoder, '
                'e.g. (3, 5, 7, 11) of a ViT-B'
            )
        pyramid, strides = wiring.wire_pyramid(pyramid, encoder)
        super().__init__(
            # mmdet builds what it is given a config of; ours is built already
            backbone=dict(type=_given, module=encoder),
            neck=wiring.wire_neck(neck, encoder),
            rpn_head=wiring.wire_rpn_head(rpn_head, strides, neck['num_outs']),
            roi_head=wiring.wire_roi_head(roi_head, strides, encoder),
            train_cfg=train_cfg,
            test_cfg=test_cfg,
            data_preprocessor=wiring.wire_preprocessor(data_preprocessor, encoder),
            init_cfg=init_cfg,
        )
        self.pyramid = MODELS.build(pyramid) if pyramid else nn.Identity()
        self.text_bank = build_text_bank('text_bank', text_bank, encoder)
        self.background = background
        self._trained = TrainedClasses(self.text_bank.vocabulary)
        self._bind(self._trained.novel(self.text_bank.vocabulary))

    def set_vocabulary(
        self, vocabulary: VocabularySource, novel: str | Iterable[str] | None = None
    ) -> None:
        """Exchanges the classes, at any time and for any number of them.

        Args:
            vocabulary: Anything that :meth:`openvocab.vocab.Vocabulary.load` takes.
            novel: Name or names of the classes whose scores lean on the encoder
                (``beta`` of the fusion). By default those that this detector saw no
                boxes of, by their names (:class:`TrainedClasses`): splits of another
                vocabulary than the one that it was built with do not count.

        Raises:
            UnknownClassError: A name in ``novel`` is no class of the vocabulary.
        """
        vocabulary = Vocabulary.load(vocabulary)
        if novel is None:
            flags = self._trained.novel(vocabulary)
        else:
            names = [novel] if isinstance(novel, str) else novel
            chosen = {vocabulary.index(name) for name in names}
            flags = tuple(i in chosen for i in range(len(vocabulary)))
        self.text_bank.set_vocabulary(vocabulary)
        self._bind(flags)

    @contextmanager
    def using_vocabulary(
        self, source: VocabularySource, novel: str | Iterable[str] | None = None
    ) -> Iterator[None]:
        """Exchanges the classes for the time of a ``with`` block.

        Args:
            source: Anything that :meth:`openvocab.vocab.Vocabulary.load` takes.
            novel: As for :meth:`set_vocabulary`.
        """
        vocabulary = Vocabulary.load(source)
        before, flags = self.text_bank.vocabulary, self._flags
        if vocabulary.hash == before.hash and novel is None:
            yield
            return
        self.set_vocabulary(vocabulary, novel)
        try:
            yield
        finally:
            self.text_bank.set_vocabulary(before)
            self._bind(flags)

    @property
    def novel_classes(self) -> tuple[str, ...]:
        """Names of the current classes that the detector is to know from text alone."""
        return tuple(compress(self.text_bank.vocabulary.names, self._flags))

    def extract_feat(self, batch_inputs: Tensor) -> tuple[Tensor, ...]:
        """Computes the feature maps.

        Args:
            batch_inputs: (B, 3, H, W) normalised images.

        Returns:
            The neck's maps; in eval mode :class:`DenseFeatures`, with the encoder's
            dense embedding beside them, which no loss looks at. float32, because mmcv's
            RoIAlign knows no bfloat16.
        """
        *taps, dense = self.backbone(batch_inputs)
        levels = tuple(level.float() for level in self.neck(self.pyramid(taps)))
        return levels if self.training else DenseFeatures(levels, dense.float())

    def predict(
        self,
        batch_inputs: Tensor,
        batch_data_samples: Detections,
        rescale: bool = True,
    ) -> Detections:
        """Fills ``pred_instances``: bboxes, scores, labels, label_names (and masks).

        Args:
            batch_inputs: (B, 3, H, W) normalised images.
            batch_data_samples: One per image; see the class about their vocabularies.
            rescale: Return boxes in pixels of the original images.
        """
        if not any('vocabulary' in sample for sample in batch_data_samples):
            return self._predict(batch_inputs, batch_data_samples, rescale)
        groups: dict[str, tuple[Any, list[int]]] = {}
        for i, sample in enumerate(batch_data_samples):
            vocabulary = Vocabulary.load(
                sample.get('vocabulary') or self.text_bank.vocabulary
            )
            groups.setdefault(vocabulary.hash, (vocabulary, []))[1].append(i)
        for vocabulary, index in groups.values():
            samples = [batch_data_samples[i] for i in index]
            with self.using_vocabulary(vocabulary):
                self._predict(batch_inputs[index], samples, rescale)
        return batch_data_samples

    def _predict(
        self, images: Tensor, samples: Detections, rescale: bool
    ) -> Detections:
        samples = super().predict(images, samples, rescale)
        names = self.text_bank.vocabulary.names
        for sample in samples:
            found = sample.pred_instances
            found.label_names = [names[label] for label in found.labels.tolist()]
        return samples

    def _bind(self, novel: Sequence[bool]) -> None:
        """Hands the text rows to the box head."""
        bank = self.text_bank
        self._flags = tuple(novel)
        self.roi_head.bbox_head.set_text(
            bank.rows,
            bank.rows_of([self.background]),
            torch.tensor(self._flags, device=bank.rows.device),
        )
        self.dataset_meta = bank.vocabulary.metainfo()


def _given(module: nn.Module) -> nn.Module:
    return module
