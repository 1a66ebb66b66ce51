"""Segmentors, and how they look at an image."""

from .class_scores import ClassScores, LabelMap
from .inference import Inference, SlideAndGlobalInference, WholeInference
from .mask_scores import MaskInference
from .ov_segmentor import OVSegmentor
from .san_segmentor import SANSegmentor
from .seg_preprocessor import SegPreprocessor
from .training_free_segmentor import TrainingFreeSegmentor

__all__ = [
    'ClassScores',
    'Inference',
    'LabelMap',
    'MaskInference',
    'OVSegmentor',
    'SANSegmentor',
    'SegPreprocessor',
    'SlideAndGlobalInference',
    'TrainingFreeSegmentor',
    'WholeInference',
]
