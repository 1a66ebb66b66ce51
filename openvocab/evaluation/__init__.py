"""Metrics and reports."""

from .region_accuracy import RegionAccuracy

__all__ = ['RegionAccuracy']
