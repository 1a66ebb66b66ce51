"""Metrics and reports."""

from .comparison import Comparison
from .ov_det_metric import OVDetMetric
from .ov_iou_metric import OVIoUMetric
from .published import published_metrics
from .region_accuracy import RegionAccuracy
from .region_confusion import RegionConfusion
from .report import Report, library_versions, load_report, merge

__all__ = [
    'Comparison',
    'OVDetMetric',
    'OVIoUMetric',
    'RegionAccuracy',
    'RegionConfusion',
    'Report',
    'library_versions',
    'load_report',
    'merge',
    'published_metrics',
]
