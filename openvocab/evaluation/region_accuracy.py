"""Region recognition: how well single regions of an image are named."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from mmengine.logging import print_log

from openvocab.registry import METRICS

from .gathered_metric import GatheredMetric

# Measure -> (key of the predictions, regions scored: things, stuff or None for all).
_MEASURES = dict(
    boxes=('boxes', True),
    masks_t=('masks', True),
    masks_s=('masks', False),
    crops=('crops', True),
)


@METRICS.register_module()
class RegionAccuracy(GatheredMetric):
    """Boxes, Masks-T, Masks-S and foreground bias (DenseVLM, section 4.1).

    Reads ``predictions`` of each :class:`RegionDataSample` (see there) and the labels
    of its regions. In percent, as plain floats:

    - ``boxes_top1, boxes_top5``: things read through their box;
    - ``masks_t_top1, masks_t_top5`` / ``masks_s_top1, masks_s_top5``: things / stuff
      read through their mask;
    - ``crops_top1, crops_top5``: things read through an image crop, where the model
      predicts them;
    - ``stuff_as_thing``: share of stuff masks whose top-1 is a thing class;
      ``thing_as_stuff``: share of thing masks whose top-1 is a stuff class.

    An accuracy is computed per class and averaged over the classes that occur, so it
    does not favour frequent classes. A measure without any region is left out.

    Whether a region is a thing is the flag of its class in the data set's metainfo.
    Images are identified by ``img_id`` and ``img_path``: one that several ranks saw,
    as happens when a sampler rounds up, counts once.

    Attributes:
        confusions: After ``evaluate``, on the main process: the most frequent
            (true class, predicted class, number of regions), over masks, or boxes
            where no masks are predicted.

    Args:
        num_confusions: How many confusions are kept and logged.
        **kwargs: Arguments of :class:`mmengine.evaluator.BaseMetric`.
    """

    def __init__(self, num_confusions: int = 10, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.num_confusions = num_confusions
        self.confusions: list[tuple[str, str, int]] = []

    def process(self, data_batch: Any, data_samples: Sequence[Mapping]) -> None:
        """Keeps labels and predictions of one batch as small arrays.

        Args:
            data_batch: Unused.
            data_samples: Samples as elements or as the dicts mmengine makes of them.

        Raises:
            KeyError: A sample has no labels or no predictions.
        """
        for sample in data_samples:
            image = (sample.get('img_id'), sample.get('img_path'))
            regions = sample.get('regions')
            predictions = sample.get('predictions')
            if regions is None or regions.get('labels') is None or predictions is None:
                raise KeyError(
                    f'RegionAccuracy: image {image[0]} lacks region labels or '
                    'predictions; use PanopticRegionDataset and a model in predict mode'
                )
            labels = _to_numpy(regions.get('labels'))
            scored = {}
            for kind, prediction in predictions.items():
                region = _to_numpy(prediction.get('region'))
                topk = _to_numpy(prediction.get('topk'))
                scored[kind] = (labels[region], topk)
            self.results.append((image, scored))

    def compute_metrics(self, results: list) -> dict[str, float]:
        """Computes the metrics of the gathered results."""
        images = self.unique_images(results)
        names, is_thing = self._classes()
        pooled = {
            kind: _pool(images, kind)
            for kind in dict.fromkeys(kind for kind, _ in _MEASURES.values())
        }
        metrics: dict[str, float] = {}
        for measure, (kind, things) in _MEASURES.items():
            labels, topk = pooled[kind]
            chosen = is_thing[labels] == things
            if chosen.any():
                for k in (1, 5):
                    accuracy = mean_class_accuracy(labels[chosen], topk[chosen, :k])
                    metrics[f'{measure}_top{k}'] = accuracy
        labels, topk = pooled['masks']
        for name, things in (('stuff_as_thing', False), ('thing_as_stuff', True)):
            chosen = is_thing[labels] == things
            if chosen.any():
                crossed = is_thing[topk[chosen, 0]] != things
                metrics[name] = 100 * float(crossed.mean())
        labels, topk = pooled['masks'] if len(labels) else pooled['boxes']
        self.confusions = most_confused(labels, topk, names, self.num_confusions)
        self._log_confusions()
        return metrics

    def _classes(self) -> tuple[Sequence[str], np.ndarray]:
        meta = self.dataset_meta or {}
        if 'classes' not in meta or 'is_thing' not in meta:
            raise KeyError(
                "RegionAccuracy needs 'classes' and 'is_thing' in the data set's "
                'metainfo, as PanopticRegionDataset provides'
            )
        return meta['classes'], np.asarray(meta['is_thing'], dtype=bool)

    def _log_confusions(self) -> None:
        if self.confusions:
            rows = [f'{count:7d}  {t} -> {p}' for t, p, count in self.confusions]
            text = '\n'.join(
                ['Most frequent confusions (regions, true -> top-1)', *rows]
            )
            print_log(text, logger='current')


def mean_class_accuracy(labels: np.ndarray, topk: np.ndarray) -> float:
    """Returns the accuracy per class, averaged over the classes present, in percent.

    Args:
        labels: (M,) true classes, M > 0.
        topk: (M, k) predicted classes; one hit among the k is a success.
    """
    hits = (topk == labels[:, None]).any(axis=1)
    totals = np.bincount(labels)
    correct = np.bincount(labels, weights=hits)
    present = totals > 0
    return 100 * float((correct[present] / totals[present]).mean())


def most_confused(
    labels: np.ndarray, topk: np.ndarray, names: Sequence[str], count: int
) -> list[tuple[str, str, int]]:
    """Returns the most frequent wrong (true, predicted, number), most frequent first.

    Args:
        labels: (M,) true classes.
        topk: (M, k) predicted classes, best first.
        names: Class names.
        count: Length of the list.
    """
    wrong = topk[:, 0] != labels
    pairs = np.stack([labels[wrong], topk[wrong, 0]], axis=1)
    if len(pairs) == 0:
        return []
    pairs, numbers = np.unique(pairs, axis=0, return_counts=True)
    order = np.argsort(-numbers, kind='stable')[:count]
    return [(names[pairs[i, 0]], names[pairs[i, 1]], int(numbers[i])) for i in order]


def _pool(scored: list[dict], kind: str) -> tuple[np.ndarray, np.ndarray]:
    """Concatenates the labels (M,) and predictions (M, k) of one kind."""
    parts = [item[kind] for item in scored if kind in item and len(item[kind][0])]
    if not parts:
        return np.zeros(0, np.int64), np.zeros((0, 1), np.int64)
    labels, topk = zip(*parts, strict=True)
    return np.concatenate(labels), np.concatenate(topk)


def _to_numpy(values: Any) -> np.ndarray:
    if hasattr(values, 'cpu'):
        values = values.cpu().numpy()
    return np.asarray(values, dtype=np.int64)
