"""Classes that a segmentation sees in images which do not show them."""

import numpy as np
from mmengine.logging import print_log

from openvocab.registry import METRICS

from .ov_iou_metric import OVIoUMetric


@METRICS.register_module()
class HallucinationMetric(OVIoUMetric):
    """Share of the predicted classes that are absent from the image, in percent.

    Per image, of the classes that are predicted at any pixel with a label, those that
    no pixel has as its label; then the mean over images (``hallucination``). Images
    without any label do not count. What LoGoSeg's object prior is meant to lower; the
    paper shows pictures and gives no figure.

    Args:
        **kwargs: Arguments of :class:`OVIoUMetric` that say which classes and labels
            are scored.
    """

    def compute_metrics(self, results: list) -> dict[str, float]:
        """Computes the metric of the gathered results."""
        shares = []
        for _, counts in self.unique_images(results):
            _, predicted, labelled = counts > 0
            if labelled.any():
                shares.append(100 * (predicted & ~labelled).sum() / predicted.sum())
        if not shares:
            print_log('HallucinationMetric: no pixel has a label', logger='current')
            return {}
        return dict(hallucination=float(np.mean(shares)))
