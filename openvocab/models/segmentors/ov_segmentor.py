"""An encoder, text rows and a decode head as one segmentor of mmseg.

Call graph::

    loss     extract_feat -> decode_head.loss(features, text, labels)
    predict  inference(images) -> encode_decode per view -> ClassScores per image
                                                         -> label map in tiles

Shapes: B images, K classes, P prompts per class, D width of the joint space.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import torch
from mmengine.structures import PixelData
from mmseg.models import BaseSegmentor
from mmseg.structures import SegDataSample
from torch import Tensor, nn

from openvocab.models.building import build_module, build_text_bank, pixel_statistics
from openvocab.models.image_fit import fit_images
from openvocab.registry import MODELS
from openvocab.vocab import Vocabulary
from openvocab.vocab.vocabulary import VocabularySource

from .background import background_for
from .class_scores import ClassScores, LabelMap
from .inference import Inference
from .training_labels import TrainingLabels


@MODELS.register_module()
class OVSegmentor(BaseSegmentor):
    """Labels the pixels with the classes of any vocabulary.

    A decode head has

    - ``forward(features, text) -> (B, K, h, w)`` logits: ``features`` is the backbone's
      tuple of maps, the dense embedding last; ``text`` is (K, D) or (K, P, D);
    - ``loss(features, text, labels) -> dict`` of losses: rows and labels of the classes
      that are trained, see :class:`TrainingLabels`;
    - ``activate(logits) -> scores``, elementwise;
    - and takes ``in_channels`` and ``strides`` of the backbone's maps, which a config
      of the head need not state.

    Args:
        backbone: A ``CLIPBackbone`` or its config.
        text_bank: A ``TextBank`` (frozen text), a ``TrainableText``, or the config of
            one; without ``encoder`` it takes the text tower of the backbone's CLIP.
        decode_head: The head or its config.
        inference: Config of an :class:`Inference`.
        encoder_scale: Factor on the sides of what the backbone is given: 0.875 shows a
            crop of 384 px to a CLIP of 336 px. Sides are then rounded down to its
            patch.
        encoder_antialias: Whether that factor, where it is below 1, lets every pixel
            count. The public code of CAT-Seg and of SAN does not, so their released
            weights have not seen it.
        prob_thd: Pixels whose best score is below become the class ``background``,
            which the vocabulary must have; None keeps every pixel's best class.
        data_preprocessor: Entries of a :class:`SegPreprocessor` that differ from ours:
            the CLIP's own mean and std, BGR images. Label maps are padded with the
            vocabulary's ignored label.
        init_cfg: See mmengine's ``BaseModule``.

    Attributes:
        dataset_meta: Metainfo of the current vocabulary.

    Raises:
        ValueError: Backbone and text differ in width, or ``prob_thd`` is given for a
            vocabulary without a background.
    """

    def __init__(
        self,
        backbone: dict | nn.Module,
        text_bank: dict | nn.Module,
        decode_head: dict | nn.Module,
        inference: dict | Inference = dict(type='openvocab.WholeInference'),  # noqa: B006
        encoder_scale: float = 1.0,
        encoder_antialias: bool = True,
        prob_thd: float | None = None,
        data_preprocessor: dict | nn.Module | None = None,
        init_cfg: dict | list[dict] | None = None,
    ) -> None:
        backbone = build_module(backbone)
        if data_preprocessor is None or isinstance(data_preprocessor, dict):
            data_preprocessor = _preprocessor(data_preprocessor, backbone)
        super().__init__(data_preprocessor, init_cfg)
        self.backbone = backbone
        self.text_bank = build_text_bank('text_bank', text_bank, backbone)
        if isinstance(decode_head, dict):
            maps = dict(in_channels=backbone.channels, strides=backbone.strides)
            decode_head = {**maps, **decode_head}
        self.decode_head = build_module(decode_head)
        self.inference: Inference = build_module(inference)
        self.encoder_scale = encoder_scale
        self.encoder_antialias = encoder_antialias
        self.prob_thd = prob_thd
        self._bind(self.text_bank.vocabulary)

    def set_vocabulary(self, source: VocabularySource) -> None:
        """Exchanges the classes, at any time and for any number of them.

        Args:
            source: Anything that :meth:`openvocab.vocab.Vocabulary.load` takes.
        """
        vocabulary = Vocabulary.load(source)
        self._bind(vocabulary)
        self.text_bank.set_vocabulary(vocabulary)

    @contextmanager
    def using_vocabulary(self, source: VocabularySource) -> Iterator[None]:
        """Exchanges the classes for the time of a ``with`` block."""
        before = self.text_bank.vocabulary
        self.set_vocabulary(source)
        try:
            yield
        finally:
            self.set_vocabulary(before)

    def extract_feat(self, inputs: Tensor) -> tuple[Tensor, ...]:
        """Feature maps of images (B, 3, H, W), fine to coarse, the dense one last."""
        return self.backbone(self.encoder_images(inputs))

    def encoder_images(self, inputs: Tensor) -> Tensor:
        """Images (B, 3, H, W) in the size that the backbone is given."""
        long_side = None
        if self.encoder_scale != 1:
            long_side = round(self.encoder_scale * max(inputs.shape[-2:]))
        return fit_images(
            inputs, self.backbone.patch_size, long_side, self.encoder_antialias
        ).images

    def encode_decode(
        self, inputs: Tensor, batch_data_samples: list[SegDataSample] | None = None
    ) -> Tensor:
        """Logits (B, K, h, w) of images (B, 3, H, W), at the head's resolution."""
        return self.decode_head(self.extract_feat(inputs), self.text_bank())

    def class_scores(self, images: list[Tensor]) -> list[ClassScores]:
        """Scores of B images (3, H_i, W_i), normalised and without padding."""
        return self.inference(images, self.encode_decode, self.decode_head.activate)

    def loss(
        self, inputs: Tensor, data_samples: list[SegDataSample]
    ) -> dict[str, Tensor]:
        """Losses of the head.

        Classes that the vocabulary calls novel or unseen are held out.

        Args:
            inputs: (B, 3, H, W) normalised images.
            data_samples: B samples with ``gt_sem_seg`` (1, H, W).

        Raises:
            ValueError: A label is neither a class nor ignored.
        """
        labels = torch.stack([sample.gt_sem_seg.data[0] for sample in data_samples])
        return self.decode_head.loss(
            self.extract_feat(inputs),
            self.training_labels.select(self.text_bank()),
            self.training_labels(labels),
        )

    @torch.no_grad()
    def predict(
        self, inputs: Tensor, data_samples: list[SegDataSample] | None = None
    ) -> list[SegDataSample]:
        """Fills ``pred_sem_seg`` and ``seg_scores`` of every data sample.

        The former is the label map, (1, H, W) int64, the latter (1, H, W) float32 the
        score of the best class: what the head's ``activate`` makes of its logits.

        An image is segmented without the padding that its batch gave it, and the label
        map has the size that the image had on disk (``ori_shape``).

        Args:
            inputs: (B, 3, H, W) normalised images.
            data_samples: One per image; by default new ones, label maps in the size of
                the images given.
        """
        if data_samples is None:
            data_samples = [SegDataSample() for _ in inputs]
        images = [
            _without_padding(image, sample.metainfo)
            for image, sample in zip(inputs, data_samples, strict=True)
        ]
        for scores, image, sample in zip(
            self.class_scores(images), images, data_samples, strict=True
        ):
            size = sample.metainfo.get('ori_shape', image.shape[-2:])[:2]
            found = scores.label_map(tuple(size))
            maps = dict(pred_sem_seg=self._label(found), seg_scores=found.scores)
            if sample.metainfo.get('flip'):
                horizontal = sample.flip_direction == 'horizontal'
                maps = {k: m.flip(-1 if horizontal else -2) for k, m in maps.items()}
            sample.set_data({k: PixelData(data=m[None]) for k, m in maps.items()})
        return data_samples

    def _forward(
        self, inputs: Tensor, data_samples: list[SegDataSample] | None = None
    ) -> Tensor:
        """Mode ``tensor``: the logits of :meth:`encode_decode`."""
        return self.encode_decode(inputs, data_samples)

    def _label(self, found: LabelMap) -> Tensor:
        if self.prob_thd is None:
            return found.labels
        unsure = found.scores < self.prob_thd
        return found.labels.masked_fill(unsure, self._background)

    def _bind(self, vocabulary: Vocabulary) -> None:
        """Takes over what depends on the classes, before the rows change."""
        self._background = background_for(vocabulary, prob_thd=self.prob_thd)
        self.dataset_meta = vocabulary.metainfo()
        self.training_labels = TrainingLabels(vocabulary).to(self._device())
        self.data_preprocessor.seg_pad_val = self.training_labels.ignore_index

    def _device(self) -> torch.device:
        return next(self.backbone.parameters()).device


def _preprocessor(config: dict[str, Any] | None, encoder: nn.Module) -> dict[str, Any]:
    """Completes the config of the preprocessor; what it states stays."""
    statistics = pixel_statistics(encoder.mean, encoder.std)
    return dict(type='openvocab.SegPreprocessor', **statistics) | dict(config or {})


def _without_padding(image: Tensor, meta: dict[str, Any]) -> Tensor:
    """Cut off what the data preprocessor (or a transform) padded, (3, H, W)."""
    padding = meta.get('img_padding_size', meta.get('padding_size', (0, 0, 0, 0)))
    left, right, top, bottom = padding
    height, width = image.shape[-2:]
    return image[:, top : height - bottom, left : width - right]
