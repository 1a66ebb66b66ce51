"""From a config and an image to detections, in two calls."""

from .detector import build_detector, detect, detection_records

__all__ = ['build_detector', 'detect', 'detection_records']
