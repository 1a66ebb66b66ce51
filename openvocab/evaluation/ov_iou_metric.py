"""IoU of open-vocabulary segmentation, by both rules of averaging in use."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from mmengine.logging import print_log
from torch import Tensor

from openvocab.registry import METRICS
from openvocab.vocab.class_entry import BACKGROUND
from openvocab.vocab.ignored_label import default_ignore_index
from openvocab.vocab.trained_classes import TrainedClasses
from openvocab.vocab.vocabulary import Vocabulary, VocabularySource

from .class_iou import ClassIoU, class_histograms
from .gathered_metric import GatheredMetric
from .hallucination import hallucinated_share
from .metainfo_vocabulary import vocabulary_of


@METRICS.register_module()
class OVIoUMetric(GatheredMetric):
    """Mean IoU over seen, unseen and all classes of a vocabulary.

    Reads ``pred_sem_seg.data`` and ``gt_sem_seg.data``, (1, H, W) class indices of the
    same size, of each sample. In percent, as plain floats:

    - ``miou``: mean over the classes that occur in the labels. detectron2 since July
      2022, hence SAN, CAT-Seg and FC-CLIP;
    - ``miou_union``: mean over the classes that occur in the labels or predictions:
      predicting a class that is not in the data set costs. mmsegmentation and older
      detectron2. The two differ only where the data set lacks classes: of the 459 of
      PASCAL-Context, 114 have no validation pixel, and the same predictions of SAN have
      16.7 by the first and 12.6 by the second rule;
    - ``fwiou``: IoU weighted by frequency; ``pacc``: pixel accuracy;
    - ``miou_seen``, ``miou_unseen`` and their harmonic mean ``hiou``, by the rule of
      ``miou``;
    - ``hallucination``: share of the classes predicted in an image that are not in its
      labels, see :func:`hallucinated_share`.

    A measure without any class is left out. A class is **seen** if its split says so,
    or, with ``train_vocabulary``, if it is called like a class that was trained there
    (:class:`openvocab.vocab.trained_classes.TrainedClasses`); then all others are
    unseen. A class called ``background`` is neither.

    Memory: per image, three counts for each class that occurs in it. An image that
    several ranks saw counts once.

    Attributes:
        class_iou: After ``evaluate``, on the main process: name -> IoU in percent, nan
            for a class that occurs nowhere.

    Args:
        train_vocabulary: Anything :meth:`Vocabulary.load` takes: what was trained on.
        background_from: Every class from this index on is scored as one class
            ``background`` with this index, in predictions. PAS-20b: 20, where the label
            maps hold 0..20 and the vocabulary goes on with 39 classes of
            PASCAL-Context.
        ignore_index: Label of ignored pixels; by default that of the data set's
            metainfo, else 255, or 65535 with more than 255 classes.
        classwise: Also log the IoU of every class.
        **kwargs: Arguments of :class:`mmengine.evaluator.BaseMetric`.
    """

    def __init__(
        self,
        train_vocabulary: VocabularySource | None = None,
        background_from: int | None = None,
        ignore_index: int | None = None,
        classwise: bool = False,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.train_vocabulary = (
            None if train_vocabulary is None else Vocabulary.load(train_vocabulary)
        )
        self.background_from = background_from
        self.ignore_index = ignore_index
        self.classwise = classwise
        self.class_iou: dict[str, float] = {}

    def process(self, data_batch: Any, data_samples: Sequence[Mapping]) -> None:
        """Counts the pixels of one batch.

        Args:
            data_batch: Unused.
            data_samples: Samples as elements or as the dicts mmengine makes of them.

        Raises:
            KeyError: A sample has no path, labels or prediction.
            ValueError: Prediction and labels differ in size, or a value is no class.
        """
        num_classes = len(self._names())
        for sample in data_samples:
            path = sample.get('img_path')
            if path is None:
                raise KeyError(
                    'OVIoUMetric: a sample has no img_path, by which images are told '
                    'apart; put it among the meta_keys of PackSegInputs'
                )
            predicted = _labels(sample, 'pred_sem_seg')
            labelled = _labels(sample, 'gt_sem_seg').to(predicted.device)
            if self.background_from is not None:
                predicted = predicted.clamp(max=self.background_from)
            try:
                counts = class_histograms(
                    predicted, labelled, num_classes, self._ignored()
                )
            except ValueError as error:
                raise ValueError(f'{path}: {error}') from None
            counts = counts.cpu().numpy()
            (occurring,) = np.nonzero(counts.any(axis=0))
            self.results.append((path, (occurring, counts[:, occurring])))

    def compute_metrics(self, results: list) -> dict[str, float]:
        """Computes the metrics of the gathered results."""
        names = self._names()
        totals = np.zeros((3, len(names)), np.int64)
        images = self.unique_images(results)
        for occurring, counts in images:
            totals[:, occurring] += counts
        scores = ClassIoU(*totals)
        self.class_iou = dict(zip(names, scores.iou.tolist(), strict=True))
        present = scores.labelled > 0
        if not present.any():
            print_log('OVIoUMetric: no pixel has a label', logger='current')
            return {}
        self._log(scores)
        seen, unseen = self._seen_and_unseen()
        metrics = dict(
            miou=scores.mean(present),
            miou_union=scores.mean(scores.union > 0),
            fwiou=scores.frequency_weighted(),
            pacc=scores.pixel_accuracy(),
            hallucination=hallucinated_share(counts for _, counts in images),
            miou_seen=scores.mean(seen & present),
            miou_unseen=scores.mean(unseen & present),
        )
        metrics = {key: value for key, value in metrics.items() if value is not None}
        if 'miou_seen' in metrics and 'miou_unseen' in metrics:
            metrics['hiou'] = harmonic_mean(
                metrics['miou_seen'], metrics['miou_unseen']
            )
        return metrics

    def _names(self) -> tuple[str, ...]:
        """Names of the scored classes."""
        names = tuple((self.dataset_meta or {}).get('classes') or ())
        if not names:
            raise KeyError(
                "OVIoUMetric needs 'classes' in the data set's metainfo, as "
                'OVSegDataset provides'
            )
        if self.background_from is None:
            return names
        if not 0 < self.background_from < len(names):
            raise ValueError(
                f'OVIoUMetric: background_from={self.background_from} leaves no class '
                f'before or after it; the data set has {len(names)}'
            )
        return (*names[: self.background_from], BACKGROUND)

    def _ignored(self) -> int:
        if self.ignore_index is not None:
            return self.ignore_index
        meta = self.dataset_meta
        return meta.get('ignore_index', default_ignore_index(len(meta['classes'])))

    def _seen_and_unseen(self) -> tuple[np.ndarray, np.ndarray]:
        """Two (K,) masks of the scored classes."""
        vocabulary = vocabulary_of(self.dataset_meta)
        named = np.array([name != BACKGROUND for name in self._names()])
        if self.train_vocabulary is None:
            seen, unseen = np.array(vocabulary.is_base), np.array(vocabulary.is_novel)
        else:
            unseen = np.array(TrainedClasses(self.train_vocabulary).novel(vocabulary))
            seen = ~unseen
        return seen[: len(named)] & named, unseen[: len(named)] & named

    def _log(self, scores: ClassIoU) -> None:
        lines = [
            f'OVIoUMetric: {(scores.labelled > 0).sum()} of {len(scores.labelled)} '
            f'classes occur in the labels (averaged in miou), '
            f'{(scores.union > 0).sum()} there or in the predictions (miou_union)'
        ]
        if self.classwise:
            lines += [f'{iou:6.2f}  {name}' for name, iou in self.class_iou.items()]
        print_log('\n'.join(lines), logger='current')


def harmonic_mean(first: float, second: float) -> float:
    """Harmonic mean, 0 if both are 0."""
    return 2 * first * second / (first + second) if first + second else 0.0


def _labels(sample: Mapping, key: str) -> Tensor:
    """(H, W) of a sample's label map."""
    field = sample.get(key)
    if field is None:
        raise KeyError(f'OVIoUMetric: {sample.get("img_path")} has no {key}')
    data = field['data'] if isinstance(field, Mapping) else field.data
    return data.squeeze(0)
