"""Models that name regions."""

from .image_preprocessor import ImagePreprocessor
from .region_recognizer import RegionRecognizer

__all__ = ['ImagePreprocessor', 'RegionRecognizer']
