"""Metrics and reports."""

from .published import published_metrics
from .region_accuracy import RegionAccuracy
from .report import Report, library_versions, load_report, merge

__all__ = [
    'RegionAccuracy',
    'Report',
    'library_versions',
    'load_report',
    'merge',
    'published_metrics',
]
