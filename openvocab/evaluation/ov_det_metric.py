"""Average precision of open-vocabulary detectors: OV-COCO, OV-LVIS and transfer."""

from collections.abc import Hashable, Mapping, Sequence
from typing import Any

import numpy as np
from mmengine.logging import print_log

from openvocab.registry import METRICS
from openvocab.vocab.vocabulary import Vocabulary

from .coco_average_precision import ClassPrecision, class_precision
from .coco_ground_truth import CocoGroundTruth, ImageTruth, truth_of_instances
from .detection_results import Detections, encode_masks, to_numpy, write_results
from .gathered_metric import GatheredMetric
from .metainfo_vocabulary import vocabulary_of
from .split_precision import mean_precision

_IOU_TYPES = ('bbox', 'segm')


@METRICS.register_module()
class OVDetMetric(GatheredMetric):
    """AP of base and novel classes, in the generalised setting.

    All classes of the vocabulary are predicted and evaluated together, and then
    averaged by split. In percent, as plain floats that are not rounded, with ``{t}``
    for ``bbox`` or ``segm``:

    - ``{t}_ap, {t}_ap50, {t}_ap75, {t}_aps, {t}_apm, {t}_apl``: mean over the classes;
    - ``{t}_ap_{split}, {t}_ap50_{split}`` for the splits of the vocabulary, such as
      ``base`` and ``novel``: OV-COCO is compared by ``bbox_ap50_novel``,
      ``bbox_ap50_base`` and ``bbox_ap50``;
    - for the splits r, c and f of LVIS: ``{t}_apr, {t}_apc, {t}_apf`` and, with base
      for c and f and novel for r, ``{t}_ap50_base, {t}_ap50_novel``.

    A class without objects has no AP and does not count in any mean; a mean over no
    class is nan. A class with objects and no detection has AP 0.

    **Classes.** Predicted labels index the classes of the data set's metainfo (see
    :func:`vocabulary_of`). Categories of the annotation file are found by name or
    synonym, so their order and ids do not matter, and the official file with more
    categories serves as well as a derived one.

    **Images.** Exactly the predicted images are evaluated, each once.

    **Detections.** All measures use the best ``max_dets`` detections of an image and a
    class, as pycocotools does (in mmdet, AP is at 100 and AP50, AP75 and classwise AP
    at 1000 detections). With ``federated`` they use, as lvis-api does, the best
    ``max_dets`` of an image over all its classes.

    **Crowds and areas** are COCO's: a crowd object is not to be found, and detections
    on it do not count; an ``ignore`` flag in the file is not looked at. The area of a
    detection is that of what is evaluated, box or mask.

    **Federated evaluation** (LVIS, arXiv:1908.03195): detections of a class count only
    in images where it is annotated or listed in ``neg_category_ids``, and unmatched
    ones do not count where it is in ``not_exhaustive_category_ids``. As in lvis-api,
    detections without area do not count, so an empty mask is not a false one (mmdet's
    ``LVISMetric`` takes the areas of boxes for masks and counts it).

    Args:
        ann_file: COCO or LVIS json, official or derived. None: the ``instances`` of the
            data samples (put ``instances`` among the ``meta_keys`` of
            ``PackDetInputs``).
        metric: ``bbox``, ``segm`` or both.
        federated: Evaluate as LVIS does; needs ``ann_file``.
        max_dets: Number of detections that count (see above); by default 100, or 300
            with ``federated``.
        only_annotated: Leave out predicted images without an object of the vocabulary,
            crowds included: 4,836 of the 5,000 images of COCO val2017 are left with the
            65 classes of OV-COCO.
        classwise: Also log AP and AP50 of every class.
        outfile_prefix: Also write the detections as ``PREFIX.bbox.json`` and
            ``PREFIX.segm.json``, in COCO's result format with the category ids of
            ``ann_file`` (or labels without it).
        **kwargs: Arguments of :class:`mmengine.evaluator.BaseMetric`.

    Raises:
        ValueError: ``metric`` is neither, or ``federated`` comes without ``ann_file``.
    """

    def __init__(
        self,
        ann_file: str | None = None,
        metric: str | Sequence[str] = 'bbox',
        federated: bool = False,
        max_dets: int | None = None,
        only_annotated: bool = False,
        classwise: bool = False,
        outfile_prefix: str | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.iou_types = [metric] if isinstance(metric, str) else list(metric)
        unknown = [name for name in self.iou_types if name not in _IOU_TYPES]
        if unknown:
            raise ValueError(
                f"OVDetMetric: metric is 'bbox' or 'segm', got {unknown[0]!r}"
            )
        if federated and ann_file is None:
            raise ValueError(
                'OVDetMetric: federated=True needs ann_file; data samples do not tell '
                'which classes were looked for'
            )
        self.ann_file = ann_file
        self.federated = federated
        self.max_dets = max_dets or (300 if federated else 100)
        self.only_annotated = only_annotated
        self.classwise = classwise
        self.outfile_prefix = outfile_prefix
        self._vocabulary: Vocabulary | None = None
        self._truth: CocoGroundTruth | None = None

    @property
    def dataset_meta(self) -> dict | None:
        """Metainfo of the data set."""
        return self._dataset_meta

    @dataset_meta.setter
    def dataset_meta(self, dataset_meta: dict) -> None:
        self._dataset_meta = dataset_meta
        self._vocabulary = self._truth = None

    def process(self, data_batch: Any, data_samples: Sequence[Mapping]) -> None:
        """Keeps the detections of one batch as small arrays; masks are encoded.

        Args:
            data_batch: Unused.
            data_samples: Samples with ``img_id`` and ``pred_instances`` (``bboxes``
                (N, 4), ``scores`` (N,), ``labels`` (N,) and for ``segm`` ``masks``,
                (N, H, W) or N RLEs), in pixels of the original image.

        Raises:
            KeyError: A sample lacks what is to be evaluated.
            ValueError: An image is not in ``ann_file``, its masks have another size
                than the image, or the model names classes that the data set does not.
        """
        self._prepare()
        for sample in data_samples:
            img_id = sample.get('img_id')
            truth = self._truth_of(sample, img_id)
            predictions = sample.get('pred_instances')
            self._check_labels(predictions, img_id)
            detections = self._detections(predictions, truth, img_id)
            # Truth of a file is at hand where the results are gathered.
            stated = truth if self.ann_file is None else None
            self.results.append((img_id, (img_id, detections, stated)))

    def compute_metrics(self, results: list) -> dict[str, float]:
        """Computes the metrics of the gathered results."""
        self._prepare()
        images = self.unique_images(results)
        truths = {i: truth for i, _, truth in images}
        if self._truth is not None:
            truths = {i: self._truth.images[i] for i in truths}
            if len(truths) < len(self._truth.images):
                print_log(
                    f'OVDetMetric evaluates the {len(truths)} predicted images of '
                    f'{len(self._truth.images)} in {self.ann_file}',
                    logger='current',
                )
        detections = {i: found for i, found, _ in images}
        if self.outfile_prefix is not None:
            self._dump(detections)
        if self.only_annotated:
            truths = {i: truth for i, truth in truths.items() if truth.objects}
        metrics: dict[str, float] = {}
        for iou_type in self.iou_types:
            classes = class_precision(
                truths,
                detections,
                len(self._vocabulary),
                iou_type,
                self.max_dets,
                self.federated,
            )
            metrics.update(mean_precision(classes, self._vocabulary.splits, iou_type))
            if self.classwise:
                self._log_classes(classes, iou_type)
        return metrics

    def _prepare(self) -> None:
        if self._vocabulary is None:
            self._vocabulary = vocabulary_of(self.dataset_meta or {})
        if self._truth is None and self.ann_file is not None:
            self._truth = CocoGroundTruth.load(
                self.ann_file, self._vocabulary, self.federated
            )

    def _truth_of(self, sample: Mapping, img_id: Hashable) -> ImageTruth:
        if self.ann_file is not None:
            if img_id not in self._truth.images:
                raise ValueError(
                    f'image id {img_id!r} is not in {self.ann_file}; the data set and '
                    'the metric must read the same annotation'
                )
            return self._truth.images[img_id]
        if sample.get('instances') is None:
            raise KeyError(
                f'OVDetMetric: image {img_id} has no instances; give ann_file, or put '
                "'instances' among the meta_keys of PackDetInputs"
            )
        return truth_of_instances(sample.get('instances'), sample.get('ori_shape'))

    def _check_labels(self, predictions: Mapping, img_id: Hashable) -> None:
        """Raises if the model speaks of other classes than the data set."""
        labels = predictions.get('labels')
        classes = self._vocabulary
        if len(labels) and int(labels.max()) >= len(classes):
            raise ValueError(
                f'image {img_id}: label {int(labels.max())} is predicted, but the data '
                f'set has {len(classes)} classes; give both the same vocabulary'
            )
        names = predictions.get('label_names')
        if names is None:
            return
        for label, name in zip(labels.tolist(), names, strict=True):
            if classes.find(name) != label:
                raise ValueError(
                    f'image {img_id}: the model calls label {label} {name!r}, the data '
                    f'set {classes.names[label]!r}; give both the same vocabulary'
                )

    def _detections(
        self, predictions: Mapping, truth: ImageTruth, img_id: Hashable
    ) -> Detections:
        scores = to_numpy(predictions.get('scores'))
        labels = to_numpy(predictions.get('labels'))
        kept = np.arange(len(scores))
        if self.federated:
            kept = np.sort(np.argsort(-scores, kind='stable')[: self.max_dets])
            if self.outfile_prefix is None:
                # Most detections cannot be judged; their masks need no encoding.
                kept = kept[np.isin(labels[kept], list(truth.judged))]
        boxes = to_numpy(predictions.get('bboxes'))[kept]
        if 'segm' not in self.iou_types:
            return Detections(boxes, scores[kept], labels[kept])
        if predictions.get('masks') is None:
            raise KeyError(
                f"OVDetMetric: metric 'segm' needs masks, and none are predicted for "
                f'image {img_id}'
            )
        masks = encode_masks(predictions.get('masks'), kept)
        expected = [truth.height, truth.width]
        if masks and list(masks[0]['size']) != expected:
            raise ValueError(
                f'image {img_id}: masks of {masks[0]["size"]} pixels are predicted, '
                f'the image has {expected} (height, width)'
            )
        return Detections(boxes, scores[kept], labels[kept], masks)

    def _dump(self, detections: Mapping[Hashable, Detections]) -> None:
        ids = {label: label for label in range(len(self._vocabulary))}
        if self._truth is not None:
            ids = self._truth.category_ids
        for iou_type in self.iou_types:
            path = f'{self.outfile_prefix}.{iou_type}.json'
            write_results(path, detections, ids, iou_type)
            print_log(f'Detections written to {path}', logger='current')

    def _log_classes(self, classes: ClassPrecision, iou_type: str) -> None:
        rows = zip(
            self._vocabulary.names,
            self._vocabulary.splits,
            classes.ap,
            classes.ap50,
            strict=True,
        )
        lines = [
            f'{ap:6.2f} {ap50:6.2f}  {name}{f" ({split})" if split else ""}'
            for name, split, ap, ap50 in rows
        ]
        text = '\n'.join([f'{iou_type}: AP, AP50 and class', *lines])
        print_log(text, logger='current')
