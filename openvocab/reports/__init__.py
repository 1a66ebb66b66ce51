"""Reports of test runs: rows, tables, pages that compare them, published figures."""

from .comparison import Comparison
from .published import published_metrics
from .report import Report, library_versions, load_report, merge

__all__ = [
    'Comparison',
    'Report',
    'library_versions',
    'load_report',
    'merge',
    'published_metrics',
]
