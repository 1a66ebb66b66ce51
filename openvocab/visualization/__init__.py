"""Pictures."""

from .detections import draw_detections
from .picture_file import check_picture_suffix, write_picture
from .regions import draw_regions, draw_sample
from .segmentation import draw_segmentation
from .similarity import (
    heat_overlay,
    model_similarity,
    similarity_figure,
    similarity_maps,
)

__all__ = [
    'check_picture_suffix',
    'draw_detections',
    'draw_regions',
    'draw_sample',
    'draw_segmentation',
    'heat_overlay',
    'model_similarity',
    'similarity_figure',
    'similarity_maps',
    'write_picture',
]
