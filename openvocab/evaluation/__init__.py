"""Metrics."""

from .ov_det_metric import OVDetMetric
from .ov_iou_metric import OVIoUMetric
from .region_accuracy import RegionAccuracy
from .region_confusion import RegionConfusion

__all__ = ['OVDetMetric', 'OVIoUMetric', 'RegionAccuracy', 'RegionConfusion']
