"""Segmentors, and how they look at an image."""

from .class_scores import ClassScores, LabelMap
from .inference import Inference, SlideAndGlobalInference, WholeInference
from .ov_segmentor import OVSegmentor
from .seg_preprocessor import SegPreprocessor

__all__ = [
    'ClassScores',
    'Inference',
    'LabelMap',
    'OVSegmentor',
    'SegPreprocessor',
    'SlideAndGlobalInference',
    'WholeInference',
]
