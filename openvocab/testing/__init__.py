"""Small inputs and configs for tests and README snippets."""

from .configs import without_weights
from .detection import random_detection_batch
from .largest_tensor import LargestTensor
from .regions import random_region_batch
from .segmentation import random_segmentation_batch

__all__ = [
    'LargestTensor',
    'random_detection_batch',
    'random_region_batch',
    'random_segmentation_batch',
    'without_weights',
]
