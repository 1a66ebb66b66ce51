"""From a config and images to detections and label maps, in two calls."""

from .class_names import split_names
from .det_inferencer import OpenVocabDetInferencer
from .inferencer import OpenVocabInferencer
from .model import build_model
from .model_zoo import get_model, list_models
from .open_inferencer import open_inferencer
from .seg_inferencer import OpenVocabSegInferencer
from .web_page import WebPage

__all__ = [
    'OpenVocabDetInferencer',
    'OpenVocabInferencer',
    'OpenVocabSegInferencer',
    'WebPage',
    'build_model',
    'get_model',
    'list_models',
    'open_inferencer',
    'split_names',
]
