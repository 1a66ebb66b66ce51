"""Second stages of detectors."""

from .cosine_text_classifier import CosineTextClassifier
from .fvit_bbox_head import FViTBBoxHead
from .fvit_roi_head import DenseFeatures, FViTRoIHead
from .score_fusion import GeometricScoreFusion

__all__ = [
    'CosineTextClassifier',
    'DenseFeatures',
    'FViTBBoxHead',
    'FViTRoIHead',
    'GeometricScoreFusion',
]
