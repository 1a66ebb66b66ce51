"""Models that name regions."""

from .region_recognizer import RegionRecognizer

__all__ = ['RegionRecognizer']
